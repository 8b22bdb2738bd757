"""From a delivery to a verdict and what is stored of it: the contact point and the router."""
