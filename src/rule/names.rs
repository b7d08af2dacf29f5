//! The names that filters refer to: lists of pairs, saved filters, marks, and other names of
//! symbols that can't be typed.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::domain::symbol::{Pair, Symbol};

use super::filter::Filter;

/// Everything that has a name.
#[derive(Clone, Debug, Default)]
pub struct Names {
    lists: BTreeMap<String, HashSet<Symbol>>,
    filters: BTreeMap<String, Filter>,
    aliases: HashMap<Symbol, Vec<String>>,
    marks: HashSet<Pair>,
}

/// What stands behind `@name`.
#[derive(Clone, Copy, Debug)]
pub(super) enum Named<'a> {
    List(&'a HashSet<Symbol>),
    Filter(&'a Filter),
}

impl Names {
    /// Those that every program has.
    pub fn new() -> Self {
        let mut names = Self::default();
        if let Ok(strong) = Filter::parse("score:strong") {
            names.set_filter("strong", strong);
        }
        names
    }

    /// Names a list of pairs.
    pub fn set_list(&mut self, name: &str, symbols: impl IntoIterator<Item = Symbol>) {
        self.lists.insert(name.to_owned(), symbols.into_iter().collect());
    }

    /// Names a filter.
    pub fn set_filter(&mut self, name: &str, filter: Filter) {
        self.filters.insert(name.to_owned(), filter);
    }

    /// Takes back the name of a list or of a filter. Whether there was one.
    pub fn forget(&mut self, name: &str) -> bool {
        self.lists.remove(name).is_some() | self.filters.remove(name).is_some()
    }

    /// Gives a symbol one more name for words to find it by.
    pub fn add_alias(&mut self, symbol: Symbol, alias: &str) {
        self.aliases.entry(symbol).or_default().push(alias.to_owned());
    }

    /// Marks a pair, or takes its mark away.
    pub fn set_mark(&mut self, pair: &Pair, is_marked: bool) {
        if is_marked {
            self.marks.insert(pair.clone());
        } else {
            self.marks.remove(pair);
        }
    }

    /// Whether a pair is marked.
    pub fn is_marked(&self, pair: &Pair) -> bool {
        self.marks.contains(pair)
    }

    /// What may stand behind `@`, in order.
    pub fn known(&self) -> impl Iterator<Item = &str> {
        let filters = self.filters.keys().filter(|name| !self.lists.contains_key(*name));
        self.lists.keys().chain(filters).map(String::as_str)
    }

    /// What stands behind `@name`: a list before a filter of the same name.
    pub(super) fn find(&self, name: &str) -> Option<Named<'_>> {
        let list = self.lists.get(name).map(Named::List);
        list.or_else(|| self.filters.get(name).map(Named::Filter))
    }

    pub(super) fn aliases(&self, symbol: &Symbol) -> &[String] {
        if self.aliases.is_empty() {
            return &[];
        }
        self.aliases.get(symbol).map_or(&[], Vec::as_slice)
    }
}
