"""Programs for those who maintain the project. Nothing here is deployed."""
