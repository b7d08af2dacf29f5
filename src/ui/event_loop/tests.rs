use super::*;
use crate::app::AppConfig;
use crate::app::value::Notation;
use crate::fixture::{assorted, row, snapshot};
use crate::market::snapshot::Level;
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use std::sync::Mutex;

/// The bytes of each write.
#[derive(Clone, Default)]
struct Writes(Arc<Mutex<Vec<Vec<u8>>>>);

impl Write for Writes {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().push(bytes.to_vec());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Writes {
    /// What a terminal makes of them.
    fn text(&self) -> String {
        let mut terminal = vt100::Parser::new(36.try_into().unwrap(), 120.try_into().unwrap(), 0);
        terminal.process(&self.0.lock().unwrap().concat());
        terminal.screen().contents()
    }

    async fn wait_for(&self, what: &str) {
        let found = async {
            while !self.text().contains(what) {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), found).await.expect(what);
    }
}

struct Rig {
    pictures: watch::Sender<Arc<Snapshot>>,
    commands: mpsc::Receiver<Command>,
    keys: mpsc::UnboundedSender<io::Result<Event>>,
    cancel: CancellationToken,
    writes: Writes,
    ended: tokio::task::JoinHandle<io::Result<Ended>>,
}

fn rig() -> Rig {
    let first = Arc::new(assorted());
    let (pictures, snapshots) = watch::channel(Arc::clone(&first));
    let (to_engine, commands) = mpsc::channel(1);
    let (keys, mut typed) = mpsc::unbounded_channel();
    let cancel = CancellationToken::new();
    let wires = Wires {
        snapshots,
        commands: to_engine,
        stopwatch: Stopwatch::start(),
        saves: None,
        cancel: cancel.clone(),
    };
    let app = App::new(AppConfig { notation: Notation::Ascii, ..AppConfig::default() }, first);
    let config = UiConfig {
        wardrobe: Wardrobe::built_in(crate::ui::shade::Level::Indexed),
        data_fps: 20,
        letters: Letters::All,
        mouse: Mouse::Theirs,
        outside: Outside::of(|_| None),
    };
    let writes = Writes::default();
    let screen = Screen::new(writes.clone(), 120, 36);
    let events = Box::pin(futures_util::stream::poll_fn(move |cx| typed.poll_recv(cx)));
    let ended = tokio::spawn(
        Loop::new(app, wires, config, screen, (120, 36)).unwrap().run(events, std::future::pending()),
    );
    Rig { pictures, commands, keys, cancel, writes, ended }
}

impl Rig {
    fn press(&self, code: KeyCode) {
        self.keys.send(Ok(Event::Key(KeyEvent::new(code, KeyModifiers::NONE)))).unwrap();
    }

    async fn end(self) -> Ended {
        tokio::time::timeout(Duration::from_secs(10), self.ended).await.unwrap().unwrap().unwrap()
    }
}

#[tokio::test]
async fn keys_and_pictures_reach_the_screen_and_q_leaves() {
    let rig = rig();
    rig.writes.wait_for("BTCUSDT").await;
    rig.pictures.send(Arc::new(snapshot(vec![row("ZZZUSDT")]))).unwrap();
    rig.writes.wait_for("ZZZ").await;
    rig.press(KeyCode::Char('?'));
    rig.writes.wait_for("half a page").await;
    rig.press(KeyCode::Esc);
    rig.press(KeyCode::Char('q'));
    let writes = rig.writes.clone();
    assert_eq!(rig.end().await, Ended::Quit);
    for write in writes.0.lock().unwrap().iter() {
        assert!(write.starts_with(b"\x1b[?2026h") && write.ends_with(b"\x1b[?2026l"), "a whole frame");
    }
}

#[tokio::test]
async fn a_command_that_finds_no_room_is_said_and_not_waited_for() {
    let mut rig = rig();
    rig.press(KeyCode::Char('R'));
    rig.press(KeyCode::Char('R'));
    rig.writes.wait_for("busy").await;
    assert!(rig.commands.recv().await.is_some());
}

#[tokio::test]
async fn it_ends_when_told_to_and_when_either_side_is_gone() {
    let rig1 = rig();
    rig1.cancel.cancel();
    assert_eq!(rig1.end().await, Ended::Cancelled);
    let mut rig2 = rig();
    rig2.keys = mpsc::unbounded_channel().0;
    assert_eq!(rig2.end().await, Ended::NoTerminal);
    let rig3 = rig();
    let Rig { pictures, keys: _keys, ended, .. } = rig3;
    drop(pictures);
    let ended = tokio::time::timeout(Duration::from_secs(10), ended).await.unwrap();
    assert_eq!(ended.unwrap().unwrap(), Ended::NoData);
}

#[tokio::test]
async fn a_resize_is_painted_in_full_at_the_new_size() {
    let rig = rig();
    rig.writes.wait_for("BTCUSDT").await;
    rig.keys.send(Ok(Event::Resize(30, 8))).unwrap();
    rig.writes.wait_for("needs 60x16").await;
    rig.cancel.cancel();
    assert_eq!(rig.end().await, Ended::Cancelled);
}

#[tokio::test(start_paused = true)]
async fn out_of_sight_for_a_minute_it_paints_nothing_and_is_right_at_once_in_sight() {
    let rig = rig();
    rig.writes.wait_for("BTCUSDT").await;
    rig.keys.send(Ok(Event::FocusLost)).unwrap();
    rig.pictures.send(Arc::new(snapshot(vec![row("AAAUSDT")]))).unwrap();
    // It is painted on for a while: a look aside is not leaving.
    rig.writes.wait_for("AAAUSDT").await;
    tokio::time::sleep(UNSEEN + SECOND).await;
    let before = rig.writes.0.lock().unwrap().len();
    for _ in 0..20 {
        rig.pictures.send(Arc::new(snapshot(vec![row("ZZZUSDT")]))).unwrap();
        tokio::time::sleep(SECOND).await;
    }
    assert_eq!(rig.writes.0.lock().unwrap().len(), before);
    rig.keys.send(Ok(Event::FocusGained)).unwrap();
    rig.writes.wait_for("ZZZUSDT").await;
    // A key is as good as word of the focus.
    rig.keys.send(Ok(Event::FocusLost)).unwrap();
    tokio::time::sleep(UNSEEN + SECOND).await;
    rig.pictures.send(Arc::new(snapshot(vec![row("YYYUSDT")]))).unwrap();
    rig.press(KeyCode::Char('j'));
    rig.writes.wait_for("YYYUSDT").await;
    rig.cancel.cancel();
    assert_eq!(rig.end().await, Ended::Cancelled);
}

fn bare(outside: Outside) -> (Loop<Writes>, Writes) {
    let first = Arc::new(assorted());
    let wires = Wires {
        snapshots: watch::channel(Arc::clone(&first)).1,
        commands: mpsc::channel(1).0,
        stopwatch: Stopwatch::start(),
        saves: None,
        cancel: CancellationToken::new(),
    };
    let writes = Writes::default();
    let app = App::new(AppConfig::default(), first);
    let config = UiConfig {
        wardrobe: Wardrobe::built_in(crate::ui::shade::Level::Indexed),
        data_fps: 4,
        letters: Letters::All,
        mouse: Mouse::Theirs,
        outside,
    };
    let screen = Screen::new(writes.clone(), 80, 24);
    (Loop::new(app, wires, config, screen, (80, 24)).unwrap(), writes)
}

#[tokio::test]
async fn a_copy_goes_between_frames_and_too_much_of_it_nowhere() {
    let (mut screen, writes) = bare(Outside::of(|_| None));
    screen.paint(Mono::default()).unwrap();
    screen.copy("BTCUSDT").unwrap();
    screen.paint(Mono::from_millis(1)).unwrap();
    let all = writes.0.lock().unwrap().clone();
    assert_eq!(all[1], b"\x1b]52;c;QlRDVVNEVA==\x07");
    screen.copy(&"x".repeat(crate::ui::outside::MAX_COPY + 1)).unwrap();
    assert_eq!(writes.0.lock().unwrap().len(), all.len());
    assert!(screen.app.toast().unwrap().text.contains("nothing was copied"));
}

#[tokio::test]
async fn a_page_that_can_not_be_opened_here_is_copied_and_said() {
    let (mut screen, writes) = bare(Outside::of(|_| None));
    screen.open("https://example.org/x".into()).unwrap();
    assert_eq!(writes.0.lock().unwrap()[0], b"\x1b]52;c;aHR0cHM6Ly9leGFtcGxlLm9yZy94\x07");
    assert_eq!(screen.app.toast().unwrap().text, "copied https://example.org/x");
    screen.open("file:///etc/passwd".into()).unwrap();
    assert_eq!(writes.0.lock().unwrap().len(), 1);
    // A program that is there and fails has the same end.
    screen.outside.opener = Some("false");
    screen.open("https://example.org/y".into()).unwrap();
    let failed = screen.failures.1.recv().await.unwrap();
    screen.make_up(failed).unwrap();
    assert_eq!(writes.0.lock().unwrap().len(), 2);
}

/// Keys are painted at most so often; that data was painted a moment ago holds none of them up.
#[tokio::test]
async fn a_key_waits_for_the_frame_of_the_key_before_and_for_no_other() {
    let (mut it, _writes) = bare(Outside::of(|_| None));
    let press = || Event::Key(KeyEvent::new(KeyCode::Char('j'), KeyModifiers::NONE));
    let (data, key) = (Mono::from_millis(60_000), Mono::from_millis(60_001));
    it.take_snapshot().unwrap();
    it.paint(data).unwrap();
    it.take(press()).unwrap();
    assert!(it.dirty && it.input_due <= key, "painted at once");
    it.paint(key).unwrap();
    it.take(press()).unwrap();
    assert!(it.input_due == key + INPUT_FRAME, "the next one has its turn");
}

/// Whatever brings the app to want something: it wants it once, and believes it done.
#[tokio::test(start_paused = true)]
async fn what_the_app_wants_is_done_whatever_it_was_told() {
    let (mut it, _writes) = bare(Outside::of(|_| None));
    let (to, saves) = watch::channel(Saved::default());
    it.wires.saves = Some(to);
    for code in [KeyCode::Char('/'), KeyCode::Char('e'), KeyCode::Char('t'), KeyCode::Enter] {
        it.take(Event::Key(KeyEvent::new(code, KeyModifiers::NONE))).unwrap();
    }
    // The picture is made some time after the start.
    tokio::time::advance(SECOND * 3_600).await;
    it.say(Level::Info, "back").unwrap();
    assert_eq!(saves.borrow().table.filter, "et");
}

#[tokio::test]
async fn one_copy_is_on_its_way_through_tmux_and_no_crowd() {
    let (mut screen, writes) = bare(Outside::of(|name| (name == "TMUX").then(|| "x".to_owned())));
    let turn = Arc::clone(&screen.turns.copy).try_acquire_owned().unwrap();
    screen.copy("BTCUSDT").unwrap();
    assert!(screen.app.toast().unwrap().text.contains("still busy") && writes.0.lock().unwrap().is_empty());
    drop(turn);
    // As many browsers as may be started are: the address is to be had all the same.
    screen.outside = Outside { opener: Some("true"), ..Outside::of(|_| None) };
    let pages = screen.turns.page.available_permits();
    let _turns = Arc::clone(&screen.turns.page).try_acquire_many_owned(pages.try_into().unwrap()).unwrap();
    screen.open("https://example.org/x".into()).unwrap();
    assert_eq!(screen.app.toast().unwrap().text, "copied https://example.org/x");
}
