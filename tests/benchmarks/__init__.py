"""What the product takes, each beside what people do without it, in the same run. ``make bench`` runs all of it."""
