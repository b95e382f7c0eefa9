"""What happens when somebody asks: pure functions from the present record to the next one, or to a problem."""
