"""Codes of languages made comparable: two letters to three, and standard languages to what they are standard of."""

from typing import NamedTuple

UNDETERMINED = "und"
# Of what is no language: code, noise.
NO_LANGUAGE = "zxx"
# ISO 639-1 to ISO 639-3 (for macro-languages, their code), with codes that tools still use.
_TWO = """
aa aar ab abk ae ave af afr ak aka am amh an arg ar ara as asm av ava ay aym az aze ba bak be bel bg bul bh bho bi bis
bm bam bn ben bo bod br bre bs bos ca cat ce che ch cha co cos cr cre cs ces cu chu cv chv cy cym da dan de deu dv div
dz dzo ee ewe el ell en eng eo epo es spa et est eu eus fa fas ff ful fi fin fj fij fo fao fr fra fy fry ga gle gd gla
gl glg gn grn gu guj gv glv ha hau he heb hi hin ho hmo hr hrv ht hat hu hun hy hye hz her ia ina id ind ie ile ig ibo
ii iii ik ipk in ind io ido is isl it ita iu iku iw heb ja jpn ji yid jv jav jw jav ka kat kg kon ki kik kj kua kk kaz
kl kal km khm kn kan ko kor kr kau ks kas ku kur kv kom kw cor ky kir la lat lb ltz lg lug li lim ln lin lo lao lt lit
lu lub lv lav mg mlg mh mah mi mri mk mkd ml mal mn mon mr mar ms msa mt mlt my mya na nau nb nob nd nde ne nep ng ndo
nl nld nn nno no nob nr nbl nv nav ny nya oc oci oj oji om orm or ori os oss pa pan pi pli pl pol ps pus pt por qu que
rm roh rn run ro ron ru rus rw kin sa san sc srd sd snd se sme sg sag si sin sk slk sl slv sm smo sn sna so som sq sqi
sr srp ss ssw st sot su sun sv swe sw swa ta tam te tel tg tgk th tha ti tir tk tuk tl tgl tn tsn to ton tr tur ts tso
tt tat tw twi ty tah ug uig uk ukr ur urd uz uzb ve ven vi vie vo vol wa wln wo wol xh xho yi yid yo yor za zha zh zho
zu zul
"""
# A language that stands for its macro-language where no other of it is told apart.
_STANDARD = """
arb ara pes fas cmn zho ekk est lvs lav zsm msa zlm msa plt mlg khk mon uzn uzb azj aze als sqi swh swa gaz orm ydd
yid npi nep ory ori pbt pus pbu pus kmr kur gug grn ayr aym knc kau dik din fuv ful kng kon fil tgl nor nob
"""
# Macrolanguages of ISO 639-3 and the languages of each of which texts to learn from were found; Mandarin goes by its
# macrolanguage's code where a script stands behind it.
_MACROLANGUAGES = """
aka: aka fat twi
ara: acm acq aeb ajp apc arb arq ars ary arz
aze: azb azj
bik: bcl
din: dik dip
fas: pes prs
ful: fuf fuv
hbs: bos cnr hrv srp
hmn: hea hms hnj
kon: kng kon
kur: ckb kmr
lah: pnb skr
lav: ltg lvs
man: emk
msa: bew bjn ind min zsm
nep: dty npi
nor: nno nob
oji: ciw ojb
que: que qug quh qul quy quz qva qvc qvh qvm qvn qwh qxn qxu
srd: src srd
tmh: taq
zap: zam ztu
zho: cjy gan hak hsn nan wuu yue zho
zza: diq
"""
_PAIRS = [*_TWO.split(), *_STANDARD.split()]
_CODES = dict(zip(_PAIRS[::2], _PAIRS[1::2], strict=True))
_STANDARDS = dict(zip(_STANDARD.split()[1::2][::-1], _STANDARD.split()[::2][::-1], strict=True))
_ABOVE = {
    member: line.split(":")[0] for line in _MACROLANGUAGES.strip().splitlines() for member in line.split()[1:]
}  # fmt: skip


class Label(NamedTuple):
    """A language, ISO 639-3, and its script, ISO 15924, "" where it is not told."""

    language: str
    script: str = ""

    def __str__(self) -> str:
        return f"{self.language}_{self.script}" if self.script else self.language


def label(code: str | None) -> Label:
    """Return what a code says, in whichever of the common forms.

    >>> label("en"), str(label("pes_Arab")), str(label("zh-hant")), str(label("eng_latn"))
    (Label(language='eng', script=''), 'fas_Arab', 'zho_Hant', 'eng_Latn')
    >>> label("").language
    'und'
    """
    parts = (code or "").replace("-", "_").split("_")
    language = parts[0].lower()
    language = _CODES.get(language, language)
    script = next((part.title() for part in parts[1:] if len(part) == 4 and part.isalpha()), "")
    is_known = len(language) in (2, 3) and language.isalpha() and language not in ("un", "mis", "mul", "zxx", "xxx")
    return Label(language, script) if is_known and language != UNDETERMINED else Label(UNDETERMINED)


def macrolanguage(name: str) -> Label | None:
    """Return the macrolanguage of a language, in its script; None where it has none.

    >>> str(macrolanguage("hrv_Latn")), str(macrolanguage("yue_Hant")), macrolanguage("deu_Latn")
    ('hbs_Latn', 'zho_Hant', None)
    """
    language, _, script = name.partition("_")
    above = _ABOVE.get(language)
    return Label(above, script) if above else None


def standard_variety(macro: str) -> str:
    """Return the code of the language that stands for a macrolanguage; the code itself where none does.

    >>> standard_variety("ara"), standard_variety("msa"), standard_variety("deu")
    ('arb', 'zsm', 'deu')
    """
    return _STANDARDS.get(macro, macro)


def answer_for(answer: Label, scripts: frozenset[str]) -> Label:
    """Return an answer as the truth would write it: Chinese letters without their kind where the truth has none.

    >>> str(answer_for(label("zho_Hans"), frozenset({"Hani"})))
    'zho_Hani'
    """
    if answer.script in ("Hans", "Hant") and "Hani" in scripts and answer.script not in scripts:
        return Label(answer.language, "Hani")
    return answer


def is_same(declared: str, found: str) -> bool | None:
    """Tell whether a declared language is the one that was found, as far as both say: language, and script if told.

    Returns:
        None where one of them says no language, as `und` does. Where a macrolanguage was found, any of its varieties is
        the same.

    >>> is_same("en", "eng_Latn"), is_same("srp_Cyrl", "srp_Latn"), is_same("deu", "und"), is_same("ar", "arz_Arab")
    (True, False, None, False)
    >>> is_same("arz", "ara_Arab"), is_same("srp", "hbs_Latn")
    (True, True)
    """
    one, other = label(declared), label(found)
    above = found.partition("_")[0]
    if above in _ABOVE.values() and _ABOVE.get(one.language) == above:
        one = Label(other.language, one.script)
    if UNDETERMINED in (one.language, other.language):
        return None
    one = answer_for(one, frozenset({other.script}))
    other = answer_for(other, frozenset({one.script}))
    return one.language == other.language and (not one.script or not other.script or one.script == other.script)
