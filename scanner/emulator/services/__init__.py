"""The services, a module for each, and the router that leads to them."""
