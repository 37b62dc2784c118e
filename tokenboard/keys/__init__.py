"""Virtual keys and their mirror at LiteLLM: made here, enforced there, spend read back and paid from credits."""
