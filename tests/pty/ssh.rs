//! Through a real sshd on loopback, with a reader that stops reading.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::PROGRAM;
use super::exchange::Exchange;
use super::screen::Screen;

/// How long a condition may take to come true.
const PATIENCE: Duration = Duration::from_secs(60);

/// An sshd with keys and settings of its own, on a free port of loopback, as the current user.
struct Sshd {
    child: Child,
    folder: PathBuf,
    port: u16,
}

impl Sshd {
    /// Why there can be none here is the error.
    fn start() -> Result<Self, String> {
        let found = |name: &str| {
            let path = std::env::var("PATH").unwrap_or_default();
            let folders = path.split(':').chain(["/usr/sbin", "/usr/local/sbin"]);
            folders.map(|f| Path::new(f).join(name)).find(|p| p.exists()).ok_or(format!("no {name} here"))
        };
        let (sshd, keygen) = (found("sshd")?, found("ssh-keygen")?);
        found("ssh")?;
        let folder = std::env::temp_dir().join(format!("hamatop-sshd-{}", std::process::id()));
        drop(fs::remove_dir_all(&folder));
        fs::create_dir_all(&folder).map_err(|e| e.to_string())?;
        for key in ["host", "user"] {
            let mut command = Command::new(&keygen);
            command.args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(folder.join(key));
            let made = command.status().map_err(|e| e.to_string())?;
            if !made.success() {
                return Err(format!("ssh-keygen made no key: {made}"));
            }
        }
        let mut last = String::new();
        // The port may be taken between our asking for it and sshd's.
        for _ in 0..5 {
            match Self::try_start(&sshd, &folder) {
                Ok(sshd) => return Ok(sshd),
                Err(why) => last = why,
            }
        }
        Err(last)
    }

    fn try_start(sshd: &Path, folder: &Path) -> Result<Self, String> {
        let free = TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr());
        let port = free.map_err(|e| e.to_string())?.port();
        let at = folder.display();
        let settings = format!(
            "Port {port}\nListenAddress 127.0.0.1\nHostKey {at}/host\nAuthorizedKeysFile {at}/user.pub\n\
             PidFile none\nStrictModes no\nUsePAM no\nPasswordAuthentication no\nPermitRootLogin yes\n\
             PrintMotd no\nPrintLastLog no\n"
        );
        fs::write(folder.join("config"), settings).map_err(|e| e.to_string())?;
        let mut command = Command::new(sshd);
        command.args(["-D", "-e", "-f"]).arg(folder.join("config"));
        let log = fs::File::create(folder.join("log")).map_err(|e| e.to_string())?;
        let mut child = command.stdin(Stdio::null()).stderr(log).spawn().map_err(|e| e.to_string())?;
        let began = Instant::now();
        loop {
            let log = fs::read_to_string(folder.join("log")).unwrap_or_default();
            if log.contains("listening") {
                return Ok(Self { child, folder: folder.to_owned(), port });
            }
            if child.try_wait().is_ok_and(|ended| ended.is_some()) || began.elapsed() > PATIENCE {
                drop(child.kill());
                drop(child.wait());
                return Err(format!("sshd does not start: {}", log.trim()));
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// `ssh -tt` here, running `command` in a shell.
    fn session(&self, command: &str, size: (u16, u16)) -> Screen {
        let host = fs::read_to_string(self.folder.join("host.pub")).unwrap();
        let known = format!("[127.0.0.1]:{} {host}", self.port);
        fs::write(self.folder.join("known"), known).unwrap();
        let at = self.folder.display();
        let options = format!(
            "-tt -F none -o LogLevel=ERROR -o UserKnownHostsFile={at}/known -o IdentitiesOnly=yes \
             -o BatchMode=yes -i {at}/user -p {} 127.0.0.1",
            self.port
        );
        let args: Vec<&str> = options.split_whitespace().chain([command]).collect();
        Screen::start("ssh", &args, &[], size)
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
        drop(fs::remove_dir_all(&self.folder));
    }
}

fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(began.elapsed() < PATIENCE, "never so: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Candles that the exchange sent, and pongs that it got for its pings.
fn heard(exchange: &Exchange) -> (u64, u64) {
    let stats = exchange.stats();
    let pongs = stats["sockets"].as_array().unwrap().iter().filter_map(|s| s["pongs"].as_u64()).sum();
    (stats["frames"]["updates"].as_u64().unwrap(), pongs)
}

/// Of the day, as the header's clock has it.
fn minute(text: &str) -> Option<u64> {
    let clock = text.lines().next()?.split_whitespace().find(|word| word.ends_with('Z'))?;
    let mut parts = clock.trim_end_matches('Z').split(':').map(|n| n.parse::<u64>().ok());
    Some(parts.next()?? * 60 + parts.next()??)
}

/// Bytes that a process wrote so far, anywhere.
fn wrote(id: u32) -> u64 {
    let io = fs::read_to_string(format!("/proc/{id}/io")).unwrap();
    io.lines().find_map(|l| l.strip_prefix("wchar: ")).unwrap().parse().unwrap()
}

/// The exchange pings once in three seconds of ours, since its clock runs at 60 times the speed;
/// the screen is that large since sshd and the pty hold two megabytes before a write waits.
#[test]
fn fault_34_a_slow_reader_over_ssh_holds_up_nothing_but_its_own_screen() {
    let sshd = match Sshd::start() {
        Ok(sshd) => sshd,
        Err(why) => return eprintln!("SKIPPED: {why}; Debian: apt-get install openssh-server"),
    };
    // Short intervals, since long ones of a market that is computed take long to make.
    let exchange = Exchange::start(PROGRAM, &["--synthetic", "40", "--speed", "60"]);
    let home = sshd.folder.join("home");
    fs::create_dir_all(&home).unwrap();
    let (at, flags) = (home.display(), exchange.flags().join(" "));
    let command = format!(
        "cd {at} && echo $$ >id && exec env -u NO_COLOR HOME={at} LANG=C.UTF-8 {PROGRAM} {flags} \
         --clock-rate 60 --top 40 --intervals 5m,15m --data-fps 30"
    );
    let mut screen = sshd.session(&command, (200, 60));
    screen
        .wait("a warm table", |t| t.contains("BTCUSDT") && !t.contains("warm-up") && t.contains("Welcome."));
    let id: u32 = fs::read_to_string(home.join("id")).unwrap().trim().parse().unwrap();

    screen.freeze();
    let (mut wrote_by, mut heard_by) = (wrote(id), heard(&exchange));
    until("a screen that waits for its reader, and a feed that does not, its pings answered", || {
        screen.type_keys("\x0c");
        // Keyboard and sockets write a little all the time; what was asked for is 10 kB each time.
        let now = wrote(id);
        if now > wrote_by + 30_000 {
            (wrote_by, heard_by) = (now, heard(&exchange));
        }
        let (updates, pongs) = heard(&exchange);
        (updates > heard_by.0 + 1_000 && pongs >= heard_by.1 + 3).then_some(())
    });

    screen.thaw();
    screen.type_keys("?");
    screen.wait("the help", |t| t.contains("Esc closes") && t.contains("half a page down"));
    let lines = |text: String| text.lines().map(|l| l.trim_end().to_owned()).collect::<Vec<_>>();
    let drawn = lines(screen.text());
    assert_eq!(drawn, lines(screen.repaint()), "what was drawn over is as what is drawn afresh");
    screen.type_keys("\x1b");
    let now = exchange.minute();
    screen.wait("the table of now", |t| t.contains("BTCUSDT") && minute(t).is_some_and(|m| m >= now));
    let stats = exchange.stats();
    let quiet = stats["violations"].as_object().unwrap().values().all(|n| n.as_u64() == Some(0));
    assert!(quiet, "{}", stats["violations"]);
    assert_eq!(stats["connections"]["open"], stats["connections"]["opened"], "no socket was lost");
    // Nobody asked for the mouse over SSH.
    let text = String::from_utf8_lossy(&screen.bytes()).into_owned();
    assert!(!text.contains("\x1b[?1000h") && !text.contains("\x1b[?1006h"), "the mouse is taken");
    screen.type_keys("Q");
    assert!(screen.wait_for_end().success());
    screen.assert_restored();
}
