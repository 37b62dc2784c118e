"""TokenBoard: one house for everyone who pays for AI.

Watch:  a team lead connects a provider's admin key and sees cost by day, project, line item and model.
Sell:   people buy prepaid credits and spend them in a streaming chat and through virtual API keys.
Portal: an organisation puts it in front of Open WebUI and LiteLLM, with a monthly budget per person.

The order of the rooms, their furniture and the laws between them are in docs/architecture.md.
This package imports nothing, so that every room below it can be imported alone.
"""

__version__ = "0.1.0"
