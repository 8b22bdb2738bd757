"""What leaves for people and national systems: notices by e-mail and webhook, events by webhook."""
