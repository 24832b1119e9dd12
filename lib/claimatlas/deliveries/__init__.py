"""From claim lines to deliveries: services, delivery days, episodes, contacts, stays."""
