//! What outlives the program, as a file: `view.toml` in the state folder.
//!
//! It is written beside itself and then renamed, so that whoever reads it, and whatever dies
//! meanwhile, finds the one from before or the new one whole. Of two programs the last one to write
//! wins. A file that can't be understood is put aside: eight of them for
//! good, the ninth until there is a tenth.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::app::View;
use crate::app::columns::ColumnSet;
use crate::app::list::Keep;
use crate::app::saved::{Saved, SavedView, Table};
use crate::domain::symbol::{Pair, Symbol};
use crate::domain::text::{CleanText, is_unsafe};

/// What this program writes and understands.
const VERSION: u32 = 1;
/// No file of ours is larger.
const MAX_BYTES: u64 = 1024 * 1024;
/// A disk that takes longer is waited for no more.
const PATIENCE: Duration = Duration::from_secs(2);
/// Files put aside under one name.
const MAX_ASIDE: u32 = 9;

/// The file's form. What an older one lacks is as at the first start.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
struct Form {
    version: u32,
    view: String,
    filter: String,
    sort: String,
    columns: String,
    interval: Option<String>,
    follow: bool,
    theme: Option<String>,
    palette: Option<String>,
    marks: Vec<String>,
    history: Vec<String>,
    set: Vec<SetForm>,
    saved: Vec<SavedForm>,
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
struct SetForm {
    name: String,
    columns: Vec<String>,
    pinned: Vec<String>,
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
struct SavedForm {
    name: String,
    filter: String,
    sort: String,
    columns: String,
}

/// What a start finds.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// What was kept.
    pub(super) saved: Option<Saved>,
    /// What is wrong with it, as a sentence.
    pub(super) problem: Option<String>,
    /// Where the new one goes; `None` where it must not.
    pub(super) path: Option<PathBuf>,
}

/// `$XDG_STATE_HOME/hamatop/view.toml`.
fn path() -> Option<PathBuf> {
    use etcetera::BaseStrategy;
    Some(etcetera::base_strategy::Xdg::new().ok()?.state_dir()?.join("hamatop").join("view.toml"))
}

/// What the last program kept.
pub(super) fn find() -> Found {
    path().map_or_else(Found::default, |path| load(&path))
}

fn load(path: &Path) -> Found {
    let why = match read(path) {
        Ok(text) => match parse(&text) {
            Ok(saved) => {
                return Found { saved: Some(saved), problem: None, path: Some(path.to_owned()) };
            }
            Err(why) => why,
        },
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            return Found { path: Some(path.to_owned()), ..Found::default() };
        }
        Err(e) => format!("can't be read: {e}"),
    };
    let name = path.display();
    match put_aside(path) {
        Ok(aside) => Found {
            saved: None,
            problem: Some(format!(
                "{name} {why}; it is now {}, and all is as at the first start",
                aside.display()
            )),
            path: Some(path.to_owned()),
        },
        Err(e) => Found {
            problem: Some(format!("{name} {why}, and can't be put aside ({e}): nothing is kept")),
            ..Found::default()
        },
    }
}

fn read(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    let file = File::open(path)?;
    file.take(MAX_BYTES + 1).read_to_string(&mut text)?;
    if text.len() as u64 > MAX_BYTES {
        return Err(io::Error::other("it is too large to be ours"));
    }
    Ok(text)
}

/// The first name that is free; the last one is used again.
fn put_aside(path: &Path) -> io::Result<PathBuf> {
    let name = |n: u32| {
        let mut name = path.as_os_str().to_owned();
        name.push(if n == 1 { ".aside".to_owned() } else { format!(".aside-{n}") });
        PathBuf::from(name)
    };
    let aside = (1..MAX_ASIDE).map(name).find(|p| !p.exists()).unwrap_or_else(|| name(MAX_ASIDE));
    fs::rename(path, &aside)?;
    Ok(aside)
}

fn parse(text: &str) -> Result<Saved, String> {
    let version = text.parse::<toml::Table>().ok().and_then(|t| t.get("version")?.as_integer());
    if version.is_some_and(|v| v > i64::from(VERSION)) {
        return Err("is of a newer hamatop".to_owned());
    }
    let form: Form =
        toml::from_str(text).map_err(|e| format!("can't be understood: {}", CleanText::new(e.message())))?;
    form.saved().map_err(|what| format!("has `{what}`, which can't be understood"))
}

impl Form {
    fn saved(self) -> Result<Saved, String> {
        let view = View::ALL.into_iter().find(|v| v.titles().0.eq_ignore_ascii_case(&self.view));
        let theme = match (self.theme, self.palette) {
            (Some(theme), Some(palette)) => Some((clean(theme)?, read_as(&palette)?)),
            _ => None,
        };
        Ok(Saved {
            view: view.ok_or(self.view)?,
            table: table(self.filter, &self.sort, self.columns)?,
            interval: self.interval.map(|i| read_as(&i)).transpose()?,
            follow: if self.follow { Keep::Cursor } else { Keep::Screen },
            marks: self.marks.iter().map(|m| pair(m)).collect::<Result<_, _>>()?,
            columns: self.set.into_iter().map(SetForm::set).collect::<Result<_, _>>()?,
            views: self.saved.into_iter().map(SavedForm::view).collect::<Result<_, _>>()?,
            history: self.history.into_iter().map(clean).collect::<Result<_, _>>()?,
            theme,
        })
    }

    fn of(saved: &Saved) -> Self {
        let texts = |columns: &[_]| columns.iter().map(ToString::to_string).collect();
        Self {
            version: VERSION,
            view: saved.view.titles().0.to_lowercase(),
            filter: saved.table.filter.clone(),
            sort: saved.table.sort.to_string(),
            columns: saved.table.columns.clone(),
            interval: saved.interval.map(|i| i.to_string()),
            follow: saved.follow == Keep::Cursor,
            theme: saved.theme.as_ref().map(|(name, _)| name.clone()),
            palette: saved.theme.as_ref().map(|(_, palette)| palette.id().to_owned()),
            marks: saved.marks.iter().map(ToString::to_string).collect(),
            history: saved.history.clone(),
            set: saved
                .columns
                .iter()
                .map(|s| SetForm {
                    name: s.name.clone(),
                    columns: texts(&s.columns),
                    pinned: texts(&s.pinned),
                })
                .collect(),
            saved: saved
                .views
                .iter()
                .map(|v| SavedForm {
                    name: v.name.clone(),
                    filter: v.table.filter.clone(),
                    sort: v.table.sort.to_string(),
                    columns: v.table.columns.clone(),
                })
                .collect(),
        }
    }
}

impl SetForm {
    fn set(self) -> Result<ColumnSet, String> {
        let columns = |texts: &[String]| texts.iter().map(|t| read_as(t)).collect::<Result<_, _>>();
        Ok(ColumnSet {
            columns: columns(&self.columns)?,
            pinned: columns(&self.pinned)?,
            name: clean(self.name)?,
        })
    }
}

impl SavedForm {
    fn view(self) -> Result<SavedView, String> {
        Ok(SavedView { name: clean(self.name)?, table: table(self.filter, &self.sort, self.columns)? })
    }
}

fn table(filter: String, sort: &str, columns: String) -> Result<Table, String> {
    Ok(Table { filter: clean(filter)?, sort: read_as(sort)?, columns: clean(columns)? })
}

fn pair(text: &str) -> Result<Pair, String> {
    let (market, symbol) = text.split_once(':').ok_or_else(|| text.to_owned())?;
    Ok(Pair { market: read_as(market)?, symbol: read_as::<Symbol>(symbol)? })
}

/// What is read goes to the terminal again: nothing that a terminal would obey.
fn clean(text: String) -> Result<String, String> {
    if text.chars().any(is_unsafe) {
        Err(text.chars().filter(|c| !is_unsafe(*c)).collect())
    } else {
        Ok(text)
    }
}

fn read_as<T: std::str::FromStr>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_| text.chars().filter(|c| !is_unsafe(*c)).collect())
}

/// Writes what comes, the newest, until nobody sends any more. Says why the last one was not kept.
pub(super) async fn keep(path: PathBuf, mut news: watch::Receiver<Saved>) -> Option<String> {
    let mut problem = None;
    while news.changed().await.is_ok() {
        let saved = news.borrow_and_update().clone();
        let to = path.clone();
        let writing = tokio::task::spawn_blocking(move || write(&to, &saved));
        let failed = match tokio::time::timeout(PATIENCE, writing).await {
            Ok(Ok(Ok(()))) => None,
            Ok(Ok(Err(e))) => Some(e.to_string()),
            Ok(Err(_)) | Err(_) => Some("the disk does not answer".to_owned()),
        };
        problem =
            failed.map(|why| format!("what the screen was like is not kept: {}: {why}", path.display()));
        if let Some(problem) = &problem {
            tracing::warn!("{problem}");
        }
    }
    problem
}

fn write(path: &Path, saved: &Saved) -> io::Result<()> {
    let text = toml::to_string(&Form::of(saved)).map_err(io::Error::other)?;
    let Some(folder) = path.parent() else { return Err(io::Error::other("there is no folder for it")) };
    fs::create_dir_all(folder)?;
    let beside = path.with_extension(format!("toml.{}", std::process::id()));
    let written = write_new(&beside, text.as_bytes()).and_then(|()| fs::rename(&beside, path));
    if written.is_err() {
        drop(fs::remove_file(&beside));
    }
    written?;
    // The name is as durable as the text only now; where a folder can't be synced, it is later.
    drop(File::open(folder).and_then(|f| f.sync_all()));
    Ok(())
}

/// For the user alone: it says what is traded here.
fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    // Of a process of the same number that died before its rename.
    drop(fs::remove_file(path));
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

#[cfg(test)]
mod tests;
