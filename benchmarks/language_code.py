"""Pieces of programs and logs, and keys pressed at random: what the model of languages learns to be no language."""

import random
import re

LABEL = "zxx_Latn"
TEXTS = 4000
_KEYS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_NAMES = """
a b c i j k n x y id key value name user users item items data path file files text line index count total price order
orders date time email status result response request url config token node list row rows column table customer
customers product products message error level size width height color self this args kwargs np pd df json os sys re
""".split()  # noqa: SIM905
# `{}` is filled with a name; words stand in the order that programs have them.
_LINES = """
for {} in range({}):|for {} in {}:|if {} is None:|if not {}:|while True:|return {}|import {} as {}|import {}
from {} import {}, {}|def {} ( {}, {} ):|class {} ( {} ):|try: {} except Exception as {}: raise|lambda {}: {}
print ( {} )|assert {} == {}|with open ( {} ) as {}:|elif {} > {}: pass|else: continue|yield {}|async def {}: await {}
SELECT {}, {} FROM {} WHERE {} > 5;|SELECT * FROM {};|select {} from {} where {} is not null order by {} desc limit 10
INSERT INTO {} ( {}, {} ) VALUES ( 1, 2 );|UPDATE {} SET {} = 1 WHERE {} = 2;|DELETE FROM {} WHERE {} = 3;
CREATE TABLE {} ( {} INT PRIMARY KEY, {} VARCHAR(255) NOT NULL );|DROP TABLE IF EXISTS {};|ALTER TABLE {} ADD COLUMN {}
SELECT COUNT(*) FROM {} LEFT JOIN {} ON {} = {} GROUP BY {} HAVING {} > 1
const {} = {};|let {} = new {} ( );|var {} = function ( {} )|function {} ( {}, {} )|return {} ;|if ( {} === {} )
export default {}|import {} from '{}';|require ( '{}' )|public static void main ( String args )|private final int {};
int main ( void )|printf ( {} );|#include {}|std::cout << {} << std::endl;|unsigned long {};|struct {}|typedef struct
sudo apt-get install {}|git commit -m {}|git push origin main|cd {} && ls -la|rm -rf {}|chmod +x {}|echo ${}|export {}
npm install {}|pip install {}|docker run -it {}|grep -r {} {}|curl -s {}|null, true, false|true, false, null|{}: null
INFO {} : {}|ERROR {} : {}|WARN {}|DEBUG {} {}|GET {} HTTP/1.1 200 OK|POST {} HTTP/1.1 404
Traceback most recent call last|File {}, line 12, in {}|TypeError: {} object is not iterable|ValueError: {}
NullPointerException at {}|at {} ( {} )
margin: 0 auto; padding: 2px;|display: flex; {}: {};|background-color: #fff; font-size: 12px;|fn {} -> {}|let mut {}
func {} ( {} string ) error|package main|using namespace std;|echo {};|end if|then {} fi|do {} done|switch case break
"""
_TEMPLATES = [line for each in _LINES.split("\n") for line in each.split("|") if line]


def code_or_noise(draw: random.Random) -> str:
    """Return a piece of a program or log, or keys pressed at random."""
    kind = draw.random()
    if kind < 0.6:
        lines = [draw.choice(_TEMPLATES) for _ in range(draw.randint(1, 3))]
        return " ".join(re.sub(r"\{\}", lambda _: draw.choice(_NAMES), line) for line in lines)
    if kind < 0.8:
        return " ".join(_press(draw, draw.choice(_KEYS), 3, 12) for _ in range(draw.randint(1, 5)))
    return " ".join(_press(draw, _LETTERS, 4, 16) for _ in range(draw.randint(1, 5)))


def _press(draw: random.Random, keys: str, least: int, most: int) -> str:
    return "".join(draw.choice(keys) for _ in range(draw.randint(least, most)))
