use std::sync::Arc;

use crate::matcher::{Found, Sight, Step};

/// The form of a text, as an operator writes it.
#[derive(Clone, Debug)]
pub(super) struct Shape(Vec<Element>);

#[derive(Clone, Copy, Debug, PartialEq)]
enum Element {
    Digit,
    Letter,
    Either,
    /// A separator, or none.
    Gap,
    Literal(char),
}

impl Shape {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let elements: Vec<Element> = text
            .chars()
            .map(|c| match c {
                '#' => Element::Digit,
                '@' => Element::Letter,
                '*' => Element::Either,
                ' ' => Element::Gap,
                c => Element::Literal(c),
            })
            .collect();
        let says = |element: &Element| matches!(element, Element::Digit | Element::Letter | Element::Either);
        (elements.len() <= 64 && elements.iter().any(says)).then_some(Self(elements))
    }

    pub(super) fn step(&self, sight: &Sight<'_>, name: &Arc<str>) -> Step {
        if !sight.at_word_start() {
            return Step::No;
        }
        let mut at = 0;
        for element in &self.0 {
            let next = sight.text.get(at..).and_then(|rest| rest.chars().next());
            let fits = match (element, next) {
                (_, None) if !sight.complete => return Step::More,
                (Element::Gap, Some(' ' | '-' | '.' | '/')) => true,
                (Element::Gap, _) => continue,
                (Element::Digit, Some(next)) => next.is_ascii_digit(),
                (Element::Letter, Some(next)) => next.is_alphabetic(),
                (Element::Either, Some(next)) => next.is_alphanumeric(),
                (Element::Literal(literal), Some(next)) => *literal == next,
                (_, None) => false,
            };
            if !fits {
                return Step::No;
            }
            at += next.map_or(0, char::len_utf8);
        }
        match sight.goes_on(at) {
            None => Step::More,
            Some(true) => Step::No,
            Some(false) => Step::Match(Found::new(name.to_string(), 0, at)),
        }
    }
}
