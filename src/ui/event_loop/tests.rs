use super::*;
use crate::app::AppConfig;
use crate::app::value::Notation;
use crate::fixture::{assorted, row, snapshot};
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
    let wires =
        Wires { snapshots, commands: to_engine, stopwatch: Stopwatch::start(), cancel: cancel.clone() };
    let app = App::new(AppConfig { notation: Notation::Ascii, replay: None, place: None }, first);
    let config = UiConfig { theme: Theme::plain(), colors: true, data_fps: 20 };
    let writes = Writes::default();
    let screen = Screen::new(writes.clone(), 120, 36);
    let events = Box::pin(futures_util::stream::poll_fn(move |cx| typed.poll_recv(cx)));
    let ended =
        tokio::spawn(Loop::new(app, wires, config, screen, (120, 36)).run(events, std::future::pending()));
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

/// Keys are painted at most so often; that data was painted a moment ago holds none of them up.
#[tokio::test]
async fn a_key_waits_for_the_frame_of_the_key_before_and_for_no_other() {
    let first = Arc::new(assorted());
    let (_pictures, snapshots) = watch::channel(Arc::clone(&first));
    let (to_engine, _commands) = mpsc::channel(1);
    let stopwatch = Stopwatch::start();
    let wires = Wires { snapshots, commands: to_engine, stopwatch, cancel: CancellationToken::new() };
    let app = App::new(AppConfig { notation: Notation::Ascii, replay: None, place: None }, first);
    let config = UiConfig { theme: Theme::plain(), colors: true, data_fps: 20 };
    let screen = Screen::new(Writes::default(), 120, 36);
    let mut it = Loop::new(app, wires, config, screen, (120, 36));
    let (data, key) = (Mono::from_millis(60_000), Mono::from_millis(60_001));
    it.take_snapshot();
    it.paint(data).unwrap();
    it.take(Event::Key(KeyEvent::new(KeyCode::Char('j'), KeyModifiers::NONE)));
    assert!(it.dirty && it.input_due <= key, "painted at once");
    it.paint(key).unwrap();
    it.take(Event::Key(KeyEvent::new(KeyCode::Char('j'), KeyModifiers::NONE)));
    assert!(it.input_due == key + INPUT_FRAME, "the next one has its turn");
}
