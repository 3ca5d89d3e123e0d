"""The finance desk: the day's money, the bank's word, the close by two."""
