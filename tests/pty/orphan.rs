//! A terminal that hangs up and tells nobody: a program in a session of its own, so that no SIGHUP
//! reaches it.

use std::io::Read;
use std::time::{Duration, Instant};

use portable_pty::{CommandBuilder, PtySize, native_pty_system};

/// What becomes of the signal that tells of a hang-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// The program leads no session of the terminal: there is none.
    Never,
    /// The program is started with it ignored, as `nohup` does.
    Ignored,
}

/// A program whose terminal has hung up.
pub struct Orphan {
    id: u32,
    hung_up: Instant,
    /// Of a processor, by then.
    ticks: u64,
}

/// How it ended.
#[derive(Clone, Copy, Debug)]
pub struct Gone {
    /// So long after the hang-up.
    pub after: Duration,
    /// Hundredths of a second on a processor meanwhile.
    pub ticks: u64,
}

/// Starts `program demo` on a terminal of that size, reads until the screen is taken, and hangs up.
pub fn start_and_hang_up(program: &str, (cols, rows): (u16, u16), signal: Signal) -> Orphan {
    let size = PtySize { rows, cols, pixel_width: 0, pixel_height: 0 };
    let pair = native_pty_system().openpty(size).unwrap();
    let home = std::env::temp_dir().join(format!("hamatop-orphan-{}-{cols}-{signal:?}", std::process::id()));
    std::fs::create_dir_all(&home).unwrap();
    let id_file = home.join("id");
    drop(std::fs::remove_file(&id_file));
    let mut command = CommandBuilder::new("sh");
    // The shell leads the session of the terminal, the program another one, or it does itself. The
    // replay stands, so that its own work is not taken for a reader that spins.
    let start = match signal {
        Signal::Never => {
            r#"exec 3<&0; setsid "$0" demo --speed 0 <&3 & echo $! >"$HOME/id.new"; mv "$HOME/id.new" "$HOME/id"; wait"#
        }
        Signal::Ignored => r#"trap "" HUP; echo $$ >"$HOME/id"; exec "$0" demo --speed 0"#,
    };
    command.args(["-c", start, program]);
    command.env_clear();
    command.env("PATH", std::env::var("PATH").unwrap_or_default());
    command.env("TERM", "xterm-256color");
    command.env("LANG", "C.UTF-8");
    command.cwd(&home);
    command.env("HOME", &home);
    let shell = pair.slave.spawn_command(command).unwrap();
    drop(pair.slave);
    let mut reader = pair.master.try_clone_reader().unwrap();
    let mut seen = Vec::new();
    let mut chunk = [0; 4_096];
    // A tiny screen says what it needs and nothing more; a large one is never still.
    while !String::from_utf8_lossy(&seen).contains("60x16") {
        let n = reader.read(&mut chunk).unwrap();
        seen.extend_from_slice(&chunk[..n]);
    }
    let id = std::fs::read_to_string(&id_file).unwrap().trim().parse().unwrap();
    wait_until_it_rests(id);
    let ticks = alive(id).map_or(0, |stat| ticks(&stat));
    drop(reader);
    drop(pair.master);
    let hung_up = Instant::now();
    // Not waited for: it may be the program, and whether that ends is the question.
    drop(shell);
    drop(std::fs::remove_dir_all(&home));
    Orphan { id, hung_up, ticks }
}

/// Until it has used no processor for a while: the loading at its start is over.
fn wait_until_it_rests(id: u32) {
    let mut last = None;
    for _ in 0..400 {
        let now = alive(id).map(|stat| ticks(&stat));
        if now == last {
            return;
        }
        last = now;
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// A zombie, which nobody may have collected, has ended.
fn alive(id: u32) -> Option<String> {
    std::fs::read_to_string(format!("/proc/{id}/stat")).ok().filter(|s| !s.contains(") Z "))
}

/// User and system time of all its threads.
fn ticks(stat: &str) -> u64 {
    let fields = stat.rsplit_once(") ").map_or("", |(_, rest)| rest).split(' ');
    fields.skip(11).take(2).filter_map(|n| n.parse::<u64>().ok()).sum()
}

impl Orphan {
    /// Waits for the end of a process that is nobody's child. Where it does not end it is killed,
    /// and the answer is what the system last said of it.
    pub fn wait_for_end(&self, patience: Duration) -> Result<Gone, String> {
        let mut used = 0;
        while let Some(last) = alive(self.id) {
            used = ticks(&last).saturating_sub(self.ticks);
            if self.hung_up.elapsed() > patience {
                let _ = std::process::Command::new("kill").args(["-KILL", &self.id.to_string()]).status();
                return Err(last);
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(Gone { after: self.hung_up.elapsed(), ticks: used })
    }
}
