"""One file for each way of paying, all behind one Protocol."""
