"""The pure core: what is sent to a CRM and what its answer means, without Django, network or clock."""
