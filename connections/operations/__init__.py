"""Operations on connections; each one writes what it changed to the history."""
