"""Which fonts there are, and which of them draws a character."""

from __future__ import annotations

import shutil
from fractions import Fraction
from pathlib import Path

import pytest

import reelproc.drawing.fonts
from reelproc.drawing.fonts import SHIPPED, Face, font_chain
from reelproc.drawing.fonts import library as fonts_library
from reelproc.drawing.fonts.coverage import read_coverage
from reelproc.errors import SpecError
from reelproc.stages.banner import Banner
from reelproc.stages.base import StreamInfo, Target
from reelproc.stages.text import Text, TextElement, TextRegion, TextSpec

FOLDER = Path(reelproc.drawing.fonts.__file__).parent


@pytest.fixture
def bare(monkeypatch):
    """A machine without any fonts but the shipped ones."""
    monkeypatch.delenv("REELPROC_FONT_PATH", raising=False)
    monkeypatch.setattr(fonts_library, "_system_files", tuple)


def drawn_with(text, font="sans"):
    return [(piece, Path(face.path).stem) for piece, face in font_chain(font).faces_for(text)]


class TestShipped:
    def test_they_stay_small(self):
        assert sum(f.stat().st_size for f in FOLDER.glob("*.ttf")) < 8_200_000

    def test_every_file_has_its_licence_and_its_line_in_the_readme(self):
        licences = "".join(f.read_text() for f in FOLDER.glob("LICENSE-*"))
        for words in ("SIL OPEN FONT LICENSE Version 1.1", "Apache License", "Bitstream Vera"):
            assert words in licences
        readme = (FOLDER / "README.md").read_text()
        for file in FOLDER.glob("*.ttf"):
            script = file.name.removeprefix("NotoSans").removesuffix("-Variable.ttf").replace("Oriya", "Odia")
            assert file.name in readme or script in readme

    @pytest.mark.parametrize(
        "text",
        [
            "Müller, Ødegaard, Łukasz, Nguyễn, Đoković – «ß»…",
            "Ελλάδα Россия Україна",
            "محمد صلاح ٣",
            "שָׁלוֹם",
            "日本のゴール、中国队、繁體、한국",
            "नमस्ते বাংলা தமிழ் తెలుగు ગુજરાતી ਪੰਜਾਬੀ ಕನ್ನಡ മലയാളം ଓଡ଼ିଆ සිංහල",
            "ไทย ລາວ ខ្មែរ မြန်မာ ქართული Հայերեն",
            "⚽🏆🥅🔥👏👍💪😀❤🎉🧤🦁🐐",
            "★☆✓✔✗→←↑↓▲▼●■♥①⑪≥≤≠∞×÷±½€£¥©®™°•",
        ],
    )
    @pytest.mark.parametrize("font", ["sans", "sans-bold"])
    def test_the_scripts_of_the_world_and_emoji_need_no_other_fonts(self, bare, text, font):
        for character in text:
            assert font_chain(font).faces_for(character)

    def test_a_joined_emoji_a_flag_and_a_keycap_are_drawn_whole(self, bare):
        for emoji in ("👨\u200d👩\u200d👧", "🇩🇪", "1\ufe0f\u20e3", "👍🏽", "❤\ufe0f"):
            assert drawn_with(emoji) == [(emoji, "NotoEmoji-Bold")]

    def test_digits_and_letters_are_those_of_the_font_asked_for(self, bare):
        assert drawn_with("1") == [("1", "NotoSans-Variable")]

    def test_bold_asks_its_fallbacks_for_bold(self, bare):
        assert font_chain("sans-bold").faces_for("ש")[0][1].weight == 700
        assert font_chain("sans-bold").faces_for("日")[0][1].embolden > 0
        assert font_chain("sans").faces_for("日")[0][1].embolden == 0


class TestMissing:
    def test_a_character_that_no_font_has_is_an_error_that_names_it_and_the_remedy(self, bare):
        with pytest.raises(SpecError, match=r"U\+130B8 EGYPTIAN HIEROGLYPH.*REELPROC_FONT_PATH"):
            font_chain("sans").faces_for("\U000130b8")

    def test_a_mark_on_a_letter_that_no_font_joins_is_drawn_beside_it(self, bare):
        pieces = drawn_with("a\u05b0")
        assert [piece for piece, _ in pieces] == ["a", "\u05b0"]

    def test_an_unknown_name(self, bare):
        with pytest.raises(SpecError, match=r"no font 'Comic Parade'.*sans, sans-bold"):
            font_chain("Comic Parade")

    def test_a_file_that_is_not_there(self):
        with pytest.raises(SpecError, match=r"no font file /nowhere/x\.ttf"):
            font_chain("/nowhere/x.ttf")

    @pytest.mark.parametrize(
        ("content", "message"),
        [(b"", "not a TrueType"), (b"hello, I am text", "not a TrueType"), (b"\x00\x01\x00\x00\x00\x09", "damaged")],
    )
    def test_a_file_that_is_no_font(self, tmp_path, content, message):
        file = tmp_path / "x.ttf"
        file.write_bytes(content)
        with pytest.raises(SpecError, match=message):
            font_chain(str(file))

    @pytest.mark.parametrize("share", [0.02, 0.08, 0.2, 0.5, 0.96, 0.9999])
    def test_a_truncated_font(self, tmp_path, share):
        file = tmp_path / "cut.ttf"
        whole = (FOLDER / "NotoSansThai-Variable.ttf").read_bytes()
        file.write_bytes(whole[: int(len(whole) * share)])
        with pytest.raises(SpecError, match="cut off"):
            font_chain(str(file))

    def test_a_font_whose_tables_make_no_sense_is_refused_before_anything_is_drawn(self, tmp_path):
        whole = bytearray((FOLDER / "NotoSansThai-Variable.ttf").read_bytes())
        at = next(at for at in range(12, 400, 16) if whole[at : at + 4] == b"head")
        where = int.from_bytes(whole[at + 8 : at + 12], "big")
        whole[where : where + 54] = bytes(54)
        file = tmp_path / "odd.ttf"
        file.write_bytes(whole)
        text = Text(
            regions=[
                TextRegion(start_time=0, end_time=1, elements=[TextElement(spec=TextSpec(text="ก", font=str(file)))])
            ]
        )
        with pytest.raises(SpecError, match=r"odd\.ttf is damaged"):
            text.resolve(StreamInfo(64, 64, Fraction(1)), Target())


class TestSupplied:
    @pytest.fixture
    def thai(self, tmp_path):
        folder = tmp_path / "deep" / "fonts"
        folder.mkdir(parents=True)
        shutil.copy(FOLDER / "NotoSansThai-Variable.ttf", folder / "My Team Font.ttf")
        return folder / "My Team Font.ttf"

    def test_by_path(self, thai):
        assert font_chain(str(thai)).first == Face(str(thai))

    def test_by_name_in_a_folder_of_the_font_path(self, thai, monkeypatch):
        monkeypatch.setenv("REELPROC_FONT_PATH", str(thai.parent.parent))
        assert font_chain("my team-font").first.path == str(thai)

    def test_files_of_the_font_path_come_before_the_shipped_fallbacks(self, thai, monkeypatch):
        monkeypatch.setenv("REELPROC_FONT_PATH", str(thai))
        assert drawn_with("ไ") == [("ไ", "My Team Font")]
        monkeypatch.delenv("REELPROC_FONT_PATH")
        assert drawn_with("ไ") == [("ไ", "NotoSansThai-Variable")]

    def test_a_font_path_that_does_not_exist_is_an_error(self, monkeypatch, tmp_path):
        monkeypatch.setenv("REELPROC_FONT_PATH", str(tmp_path / "gone"))
        with pytest.raises(SpecError, match="gone, which does not exist"):
            font_chain("sans")

    def test_other_files_in_a_folder_do_no_harm(self, thai, monkeypatch):
        (thai.parent / "broken.ttf").write_bytes(b"nonsense")
        (thai.parent / "notes.txt").write_text("hello")
        monkeypatch.setenv("REELPROC_FONT_PATH", str(thai.parent))
        assert drawn_with("ไ") == [("ไ", "My Team Font")]

    def test_system_fonts_are_the_last_resort(self, monkeypatch, thai):
        monkeypatch.delenv("REELPROC_FONT_PATH", raising=False)
        monkeypatch.setattr(fonts_library, "_system_files", lambda: (str(thai),))
        chain = fonts_library.FontChain(SHIPPED["sans"])
        chain._known = [SHIPPED["sans"]]
        assert chain.faces_for("ไ")[0][1].path == str(thai)


class TestCoverage:
    def test_every_character_and_no_other(self):
        coverage = read_coverage(str(FOLDER / "NotoSansHebrew-Variable.ttf"))
        assert coverage.has("אבג ")
        assert not coverage.has("日")

    @pytest.mark.parametrize("file", sorted(FOLDER.glob("*.ttf")), ids=lambda file: file.stem)
    def test_it_is_what_fonttools_reads(self, file):
        ttlib = pytest.importorskip("fontTools.ttLib", reason="it comes with matplotlib, of the extra report")
        with ttlib.TTFont(file, lazy=True) as font:
            assert read_coverage(str(file)).codepoints == set(font.getBestCmap())

    def test_a_font_of_a_collection(self, tmp_path):
        """A collection is a list of offsets in front of fonts: here one font, its table offsets moved along."""
        font = (FOLDER / "NotoSansThai-Variable.ttf").read_bytes()
        count = int.from_bytes(font[4:6], "big")
        moved = bytearray(font)
        for i in range(count):
            at = 12 + 16 * i + 8
            moved[at : at + 4] = (int.from_bytes(font[at : at + 4], "big") + 16).to_bytes(4, "big")
        file = tmp_path / "x.ttc"
        file.write_bytes(b"ttcf\x00\x01\x00\x00" + (1).to_bytes(4, "big") + (16).to_bytes(4, "big") + bytes(moved))
        assert (
            read_coverage(str(file)).codepoints == read_coverage(str(FOLDER / "NotoSansThai-Variable.ttf")).codepoints
        )
        with pytest.raises(SpecError, match="holds 1 fonts"):
            read_coverage(str(file), 1)


def test_a_stages_fingerprint_tells_font_files_apart_by_content_and_shipped_ones_not(tmp_path):
    def text(font):
        element = TextElement(spec=TextSpec(text="Goal", font=str(font)))
        return Text(regions=[TextRegion(start_time=0, end_time=1, elements=[element])]).fingerprint()

    one, same, other = (tmp_path / f"{name}.ttf" for name in "abc")
    for file in (one, same):
        shutil.copy(FOLDER / "NotoSans-Variable.ttf", file)
    shutil.copy(FOLDER / "DejaVuSans-Symbols.ttf", other)
    other.write_bytes((FOLDER / "NotoSans-Variable.ttf").read_bytes() + b"\0")
    assert text(one) == text(same) != text(other)
    shutil.copy(other, one)
    assert text(one) == text(other)
    assert text("sans") == text("sans-bold") == Banner(rating=3, name="x").fingerprint() != text(one)
