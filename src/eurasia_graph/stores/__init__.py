"""Other triple stores: load a release into them, verify what arrived, and ask them."""
