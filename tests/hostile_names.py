"""Names and texts that try to be obeyed: by a terminal, by rich's markup, by SQL."""

HOSTILE_ID = "a/b [red]x[/] ' OR 1=1 --"
HOSTILE_TEXT = "fire sun \x1b[31mred\x1b[0m [bold]lava[/bold] \u202e summer ember desert w1 w2 w3 w4 toast\nnext line"
