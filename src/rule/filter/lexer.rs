//! From characters to tokens.

use super::ast::Order;
use super::{FilterError, MAX_CHARS};

/// A token and its column, in characters from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) column: usize,
    pub(super) kind: Kind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Open,
    Close,
    Or,
    And,
    Not,
    Op(Op),
    /// A word, or what stands behind a comparison.
    Bare(String),
    Quoted(String),
    Regex(String),
    /// `@name`
    Name(String),
}

/// What stands between a field and a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Op {
    Is,
    Equal,
    NotEqual,
    Order(Order),
    Match,
}

/// What ends a bare word.
pub(super) const RESERVED: &str = ":<>=()|&@~!\"";

/// The tokens, and the column behind the last character.
pub(super) fn tokens(text: &str) -> Result<(Vec<Token>, usize), FilterError> {
    let chars: Vec<char> = text.chars().collect();
    if chars.len() > MAX_CHARS {
        let message = format!("the filter is too long; it may have {MAX_CHARS} characters");
        return Err(FilterError::new(MAX_CHARS, message));
    }
    let mut lexer = Lexer { chars, at: 0, after_op: false };
    let mut tokens = Vec::new();
    while let Some(token) = lexer.next()? {
        lexer.after_op = matches!(token.kind, Kind::Op(_));
        tokens.push(token);
    }
    Ok((tokens, lexer.chars.len() + 1))
}

struct Lexer {
    chars: Vec<char>,
    at: usize,
    after_op: bool,
}

impl Lexer {
    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    /// Steps over `c`, if it is next.
    fn eat(&mut self, c: char) -> bool {
        let found = self.peek() == Some(c);
        self.at += usize::from(found);
        found
    }

    fn next(&mut self) -> Result<Option<Token>, FilterError> {
        while self.peek().is_some_and(char::is_whitespace) {
            self.at += 1;
        }
        let Some(first) = self.peek() else { return Ok(None) };
        let column = self.at + 1;
        let kind = match first {
            '"' => Kind::Quoted(self.until('"')?),
            '/' => Kind::Regex(self.until('/')?),
            '@' => self.name()?,
            '-' if !self.after_op => self.single(Kind::Not),
            _ if RESERVED.contains(first) => self.sign(first),
            _ => self.bare(),
        };
        Ok(Some(Token { column, kind }))
    }

    fn single(&mut self, kind: Kind) -> Kind {
        self.at += 1;
        kind
    }

    fn sign(&mut self, first: char) -> Kind {
        self.at += 1;
        match first {
            '(' => Kind::Open,
            ')' => Kind::Close,
            '|' => {
                self.eat('|');
                Kind::Or
            }
            '&' => {
                self.eat('&');
                Kind::And
            }
            '!' if self.eat('=') => Kind::Op(Op::NotEqual),
            '!' => Kind::Not,
            '=' => {
                self.eat('=');
                Kind::Op(Op::Equal)
            }
            '<' => Kind::Op(Op::Order(if self.eat('=') { Order::AtMost } else { Order::Less })),
            '>' => Kind::Op(Op::Order(if self.eat('=') { Order::AtLeast } else { Order::Greater })),
            '~' => Kind::Op(Op::Match),
            _ => Kind::Op(Op::Is),
        }
    }

    fn name(&mut self) -> Result<Kind, FilterError> {
        let column = self.at + 1;
        self.at += 1;
        let name = if self.peek() == Some('"') { self.until('"')? } else { self.word() };
        if name.is_empty() {
            return Err(FilterError::new(column, "`@` needs the name of a list right behind it: @majors"));
        }
        Ok(Kind::Name(name))
    }

    /// What stands up to the next `end`. A backslash takes the meaning of that away, and in quotes
    /// of itself: in patterns it has its own.
    fn until(&mut self, end: char) -> Result<String, FilterError> {
        let column = self.at + 1;
        self.at += 1;
        let mut text = String::new();
        while let Some(c) = self.peek() {
            self.at += 1;
            if c == end {
                let empty = if end == '"' {
                    "an empty quote matches everything; put text between the quotes"
                } else {
                    "an empty pattern matches everything; put one between the slashes"
                };
                return if text.is_empty() { Err(FilterError::new(column, empty)) } else { Ok(text) };
            }
            match self.peek() {
                Some(next) if c == '\\' && (next == end || (next == '\\' && end == '"')) => {
                    self.at += 1;
                    text.push(next);
                }
                _ => text.push(c),
            }
        }
        let what = if end == '"' { "quote" } else { "pattern" };
        Err(FilterError::new(column, format!("the {what} has no end; add a `{end}`")))
    }

    fn word(&mut self) -> String {
        let start = self.at;
        while self.peek().is_some_and(|c| !c.is_whitespace() && !RESERVED.contains(c)) {
            self.at += 1;
        }
        self.chars.get(start..self.at).unwrap_or_default().iter().collect()
    }

    fn bare(&mut self) -> Kind {
        let word = self.word();
        let keyword = if self.after_op { "" } else { word.as_str() };
        match keyword {
            k if k.eq_ignore_ascii_case("or") => Kind::Or,
            k if k.eq_ignore_ascii_case("and") => Kind::And,
            k if k.eq_ignore_ascii_case("not") => Kind::Not,
            _ => Kind::Bare(word),
        }
    }
}
