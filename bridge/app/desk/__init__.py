"""What a duty officer does with what arrived, and with what is to be sent."""
