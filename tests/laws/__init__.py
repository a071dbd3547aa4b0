"""What holds whatever the input is."""
