"""What fulfils the ports: each folder one technology, none of them knows another."""
