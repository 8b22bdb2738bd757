"""The trust repository: `membership/` what is signed, `node/` who reads it, `governance/` who signs it."""
