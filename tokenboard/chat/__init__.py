"""Conversations with models: messages, streamed answers, the chat page. Metering below counts the money."""
