//! Letters without case, width and diacritics.

/// The letters of U+00C0 to U+017F without their diacritics, in lower case; `*` stands for itself.
const LATIN: &str = "aaaaaa*ceeeeiiiidnooooo*ouuuuy**aaaaaa*ceeeeiiiidnooooo*ouuuuy*y\
aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiii**jjkkkllllllllllnnnnnnnnnoooooo**rrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs";

const _: () = assert!(LATIN.len() == 0x180 - 0xC0);

/// A character as it counts: in lower case, of usual width, without diacritics. `None` for what does not count at all: combining marks and
/// characters without width.
pub(crate) fn fold(character: char) -> Option<char> {
    let character = match character {
        'A'..='Z' => return Some(character.to_ascii_lowercase()),
        '\0'..='\x7f' => return Some(character),
        // Soft hyphen, zero-width characters, direction marks, combining diacritics, variation selectors.
        '\u{ad}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2060}'..='\u{2064}'
        | '\u{feff}'
        | '\u{300}'..='\u{36f}'
        | '\u{fe00}'..='\u{fe0f}' => {
            return None;
        }
        // Full width.
        '\u{ff01}'..='\u{ff5e}' => {
            let narrow = u32::from(character) - 0xff01 + 0x21;
            return char::from_u32(narrow).map(|narrow| narrow.to_ascii_lowercase());
        }
        '\u{c0}'..='\u{17f}' => {
            let at = usize::try_from(u32::from(character) - 0xc0).unwrap_or(usize::MAX);
            match LATIN.as_bytes().get(at) {
                Some(b'*') | None => character,
                Some(letter) => return Some(char::from(*letter)),
            }
        }
        _ if character.is_whitespace() => return Some(' '),
        other => other,
    };
    character.to_lowercase().next()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folded(text: &str) -> String {
        text.chars().filter_map(fold).collect()
    }

    #[test]
    fn case_width_and_diacritics_do_not_count() {
        assert_eq!(folded("ÀÉÎõü Çñ ŁÓDŹ Žluťoučký"), "aeiou cn lodz zlutoucky");
        assert_eq!(folded("ＩＧＮＯＲＥ１"), "ignore1");
        assert_eq!(folded("e\u{301}te\u{301} i\u{200b}g\u{ad}n"), "ete ign");
        assert_eq!(folded("ΣΑΣ Привет"), "σασ привет");
    }
}
