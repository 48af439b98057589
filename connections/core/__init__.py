"""The pure core: what a CRM is sent and what its answer means; no Django, network or clock."""
