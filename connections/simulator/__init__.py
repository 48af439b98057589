"""A pretend CRM that receives people over HTTP.

Run it with `python -m connections.simulator`, or inside a test with `with CRM() as crm:`.

    POST /3.0/lists/{list}/members   Mailchimp's "add list member" (JSON; Basic or Bearer key)
    POST /subscribe                  Sendy's "subscribe" (form; api_key, email, list, boolean=true)
    GET /received                    every request received; ?email=jo@example.com, ?limit=0
    GET /people                      how many people were added; who was received more than once
    DELETE /received                 forgets everything

An ordinary address is added once and refused as a member afterwards. The local part of an address
may ask for something else, whatever the key and the domain, with a number or a plus tag to make
it unique: flaky@example.com, flaky.17@example.com and flaky+17@example.com all are flaky.

    exists@         is always a member already (only this one needs the right key)
    throttled@      429 and "Retry-After: 1" on the first request for the address, then ordinary
    error@          always 500
    flaky@          500 on the first two requests for the address, then ordinary
    slow@           ordinary, and added at once, but the response comes after two seconds
    hang@           not added and no response; the connection closes after two minutes
    reset@          not added; the connection closes at once without a response
    unauthorized@   always 401, as for a wrong key
    odd@            200 with an HTML page, not added
"""

from connections.simulator.crm import CRM

__all__ = ["CRM"]
