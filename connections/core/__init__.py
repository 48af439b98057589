"""The pure core: build requests and classify responses, without Django, network or clock."""
