"""Holds the chapters, their code and the interview bank to the rules that KNOWLEDGE_BASE.md lays down."""
