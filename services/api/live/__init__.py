"""What has just changed in a workspace, told to those who follow it."""
