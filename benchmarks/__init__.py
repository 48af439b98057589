"""Measurements that anyone can run, side by side with what others do; nothing imports them."""
