//! From tokens to meaning: who binds what. Terms are read in `term`.

use super::FilterError;
use super::ast::{Expr, Mention, Needle};
use super::lexer::{Kind, Op, Token, tokens};
use super::pattern::Pattern;
use super::term;

/// How deep parentheses and negations may be nested.
const MAX_DEPTH: usize = 32;

/// What may stand where a term is expected.
const TERM: &str = "a word of the symbol, a condition such as score>60 or 1h:bull, a flag, @list or (";

pub(super) fn parse(text: &str) -> Result<(Expr, Vec<(usize, Mention)>), FilterError> {
    let (tokens, end) = tokens(text)?;
    let mut parser = Parser { tokens, end, at: 0, depth: 0, mentions: Vec::new() };
    if parser.tokens.is_empty() {
        return Ok((Expr::default(), Vec::new()));
    }
    let expr = parser.any()?;
    match parser.peek() {
        None => Ok((expr, parser.mentions)),
        Some(_) => Err(parser.wrong("there is nothing open that this `)` closes")),
    }
}

pub(super) struct Parser {
    tokens: Vec<Token>,
    end: usize,
    at: usize,
    depth: usize,
    pub(super) mentions: Vec<(usize, Mention)>,
}

impl Parser {
    pub(super) fn peek(&self) -> Option<&Kind> {
        self.tokens.get(self.at).map(|t| &t.kind)
    }

    /// Where the next token is, or would be.
    pub(super) fn column(&self) -> usize {
        self.tokens.get(self.at).map_or(self.end, |t| t.column)
    }

    pub(super) fn wrong(&self, message: impl Into<String>) -> FilterError {
        FilterError::new(self.column(), message)
    }

    pub(super) fn take(&mut self) -> Option<Kind> {
        let kind = self.peek().cloned();
        self.at += usize::from(kind.is_some());
        kind
    }

    fn eat(&mut self, kind: &Kind) -> bool {
        let found = self.peek() == Some(kind);
        self.at += usize::from(found);
        found
    }

    /// The comparison that is next, if one is.
    pub(super) fn op(&mut self) -> Option<Op> {
        let Some(Kind::Op(op)) = self.peek() else { return None };
        let op = *op;
        self.at += 1;
        Some(op)
    }

    fn any(&mut self) -> Result<Expr, FilterError> {
        let mut parts = vec![self.all()?];
        while self.eat(&Kind::Or) {
            parts.push(self.all()?);
        }
        Ok(joined(parts, Expr::Any))
    }

    fn all(&mut self) -> Result<Expr, FilterError> {
        let mut parts = vec![self.one()?];
        loop {
            let and = self.eat(&Kind::And);
            match self.peek() {
                None | Some(Kind::Or | Kind::Close) if !and => return Ok(joined(parts, Expr::All)),
                _ => parts.push(self.one()?),
            }
        }
    }

    fn one(&mut self) -> Result<Expr, FilterError> {
        let column = self.column();
        if self.eat(&Kind::Not) {
            if matches!(self.peek(), None | Some(Kind::Close | Kind::Or | Kind::And)) {
                return Err(self.wrong(format!("nothing is left to exclude; expected {TERM}")));
            }
            let inner = self.deeper(column, Self::one)?;
            return Ok(Expr::Not(Box::new(inner)));
        }
        if self.eat(&Kind::Open) {
            let inner = self.deeper(column, Self::any)?;
            if !self.eat(&Kind::Close) {
                return Err(FilterError::new(column, "this parenthesis is not closed; add a `)`"));
            }
            return Ok(inner);
        }
        self.term()
    }

    fn deeper(
        &mut self,
        column: usize,
        read: fn(&mut Self) -> Result<Expr, FilterError>,
    ) -> Result<Expr, FilterError> {
        if self.depth == MAX_DEPTH {
            let message = format!("this is nested more than {MAX_DEPTH} deep");
            return Err(FilterError::new(column, message));
        }
        self.depth += 1;
        let expr = read(self);
        self.depth -= 1;
        expr
    }

    fn term(&mut self) -> Result<Expr, FilterError> {
        let column = self.column();
        let expr = match self.take() {
            Some(Kind::Bare(word)) => return term::read(self, &word, column),
            Some(Kind::Quoted(text)) => Expr::Word(Needle::new(&text)),
            Some(Kind::Regex(text)) => {
                Expr::Pattern(Pattern::new(&text).map_err(|why| FilterError::new(column, why))?)
            }
            Some(Kind::Name(name)) => {
                self.mentions.push((column, Mention::Name(name.clone())));
                Expr::Named(name)
            }
            Some(Kind::Op(_)) => {
                let message = "a comparison needs a field in front of it: score>60";
                return Err(FilterError::new(column, message));
            }
            _ => return Err(FilterError::new(column, format!("expected {TERM}"))),
        };
        if matches!(self.peek(), Some(Kind::Op(_))) {
            return Err(self.wrong("a comparison needs a field in front of it: score>60"));
        }
        Ok(expr)
    }
}

fn joined(mut parts: Vec<Expr>, all: fn(Vec<Expr>) -> Expr) -> Expr {
    match parts.pop() {
        Some(only) if parts.is_empty() => only,
        last => {
            parts.extend(last);
            all(parts)
        }
    }
}
