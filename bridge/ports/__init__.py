"""What the use cases need from the world, as Protocols and plain records; adapters fulfil them."""
