use super::*;
use crate::app::look::Palette;

/// A folder that goes with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("hamatop-kept-{name}-{}", std::process::id()));
        drop(fs::remove_dir_all(&path));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self) -> PathBuf {
        self.0.join("deep").join("view.toml")
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.0.join("deep")).unwrap();
        let mut names: Vec<_> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

fn saved() -> Saved {
    let table = Table {
        filter: "btc \"1000\" -usdc".to_owned(),
        sort: "-15m.dist".parse().unwrap(),
        columns: "bands".to_owned(),
    };
    let columns = ["sym", "last", "1h.trend"].map(|c| c.parse().unwrap()).to_vec();
    let pair = Pair { market: "spot".parse().unwrap(), symbol: "币安人生USDT".parse().unwrap() };
    Saved {
        view: View::Signals,
        table: table.clone(),
        interval: Some("1h".parse().unwrap()),
        follow: Keep::Cursor,
        marks: vec![pair],
        columns: vec![ColumnSet { name: "bands".to_owned(), pinned: columns[1..2].to_vec(), columns }],
        views: vec![SavedView { name: "morning \"1\"".to_owned(), table }],
        history: vec!["eth".to_owned(), "pepe 币".to_owned()],
        theme: Some(("dark".to_owned(), Palette::RedUp)),
    }
}

#[test]
fn what_is_written_is_read_again_and_is_for_the_user_alone() {
    let folder = Folder::new("round");
    for saved in [
        Saved { table: Table { columns: "overview".to_owned(), ..Table::default() }, ..Saved::default() },
        saved(),
    ] {
        write(&folder.file(), &saved).unwrap();
        let found = load(&folder.file());
        assert_eq!((found.saved, found.problem), (Some(saved), None));
    }
    assert_eq!(folder.names(), ["view.toml"], "nothing is left beside it");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(folder.file()).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

#[test]
fn nothing_kept_is_no_problem() {
    let folder = Folder::new("none");
    let found = load(&folder.file());
    assert!(found.saved.is_none() && found.problem.is_none() && found.path.is_some());
}

#[test]
fn a_file_that_can_not_be_understood_is_put_aside_with_a_sentence() {
    let folder = Folder::new("broken");
    write(&folder.file(), &saved()).unwrap();
    let good = fs::read_to_string(folder.file()).unwrap();
    let cases = [
        ("not toml at all [".to_owned(), "can't be understood"),
        (good.replace("version = 1", "version = 99\nnewer = true"), "is of a newer hamatop"),
        (good.replace("-15m.dist", "nonsense"), "has `nonsense`"),
        (good.replace("spot:", "moon:"), "has `moon`"),
        (good.replace("\"eth\"", "\"e\\u001b[2Jth\""), "has `e[2Jth`"),
        (good.replace("version", "other = 3\nversion"), "can't be understood"),
        ("\"\\u001b[2J\" = 1\n".to_owned(), "can't be understood"),
        ("x".repeat(2 << 20), "too large"),
    ];
    for (n, (text, want)) in cases.iter().enumerate() {
        fs::write(folder.file(), text).unwrap();
        let found = load(&folder.file());
        let problem = found.problem.unwrap();
        assert!(problem.contains(want) && !problem.contains('\x1b'), "{want}: {problem}");
        assert!(found.saved.is_none() && found.path.is_some() && !folder.file().exists());
        let aside = if n == 0 { "view.toml.aside".to_owned() } else { format!("view.toml.aside-{}", n + 1) };
        assert_eq!(fs::read_to_string(folder.file().with_file_name(aside)).unwrap(), *text);
    }
}

#[tokio::test]
async fn the_newest_is_kept_and_a_folder_that_can_not_be_written_is_told() {
    let folder = Folder::new("keep");
    let (to, saves) = watch::channel(Saved::default());
    to.send_replace(Saved::default());
    to.send_replace(saved());
    drop(to);
    assert_eq!(keep(folder.file(), saves).await, None);
    assert_eq!(load(&folder.file()).saved, Some(saved()));
    let (to, saves) = watch::channel(Saved::default());
    to.send_replace(saved());
    drop(to);
    // A file stands where the folder should.
    let problem = keep(folder.file().join("view.toml"), saves).await.unwrap();
    assert!(problem.contains("is not kept"), "{problem}");
}

#[test]
fn of_two_programs_that_write_at_once_one_wins_whole() {
    let folder = Folder::new("two");
    write(&folder.file(), &saved()).unwrap();
    let path = folder.file();
    let other = std::thread::spawn(move || {
        for n in 0..50 {
            // As another process would: under a name of its own, then renamed.
            let mut saved = saved();
            saved.history = (0..n).map(|n| format!("filter {n}")).collect();
            let beside = path.with_extension("toml.other");
            write_new(&beside, toml::to_string(&Form::of(&saved)).unwrap().as_bytes()).unwrap();
            fs::rename(&beside, &path).unwrap();
        }
    });
    for _ in 0..50 {
        write(&folder.file(), &saved()).unwrap();
        assert!(read(&folder.file()).is_ok_and(|text| parse(&text).is_ok()));
    }
    other.join().unwrap();
    assert_eq!(folder.names(), ["view.toml"]);
}
