//! A terminal that hangs up and tells nobody: a program in a session of its own, so that no SIGHUP
//! reaches it.

use std::io::Read;
use std::time::{Duration, Instant};

use portable_pty::{CommandBuilder, PtySize, native_pty_system};

/// Starts `program demo` on a terminal of that size, reads until the screen is taken, hangs up, and
/// gives the program's process id.
pub fn start_and_hang_up(program: &str, (cols, rows): (u16, u16)) -> u32 {
    let size = PtySize { rows, cols, pixel_width: 0, pixel_height: 0 };
    let pair = native_pty_system().openpty(size).unwrap();
    let home = std::env::temp_dir().join(format!("hamatop-orphan-{}-{cols}", std::process::id()));
    std::fs::create_dir_all(&home).unwrap();
    let id_file = home.join("id");
    drop(std::fs::remove_file(&id_file));
    let mut command = CommandBuilder::new("sh");
    // The shell leads the session of the terminal, the program another one.
    let script =
        r#"exec 3<&0; setsid "$0" demo <&3 & echo $! >"$HOME/id.new"; mv "$HOME/id.new" "$HOME/id"; wait"#;
    command.args(["-c", script, program]);
    command.env_clear();
    command.env("PATH", std::env::var("PATH").unwrap_or_default());
    command.env("TERM", "xterm-256color");
    command.env("LANG", "C.UTF-8");
    command.cwd(&home);
    command.env("HOME", &home);
    let mut shell = pair.slave.spawn_command(command).unwrap();
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
    drop(reader);
    drop(pair.master);
    drop(shell.wait());
    drop(std::fs::remove_dir_all(&home));
    id
}

/// Waits for the end of a process that is nobody's child. Where it does not end it is killed, and
/// the answer is how much processor time it had used.
pub fn wait_for_end(id: u32, patience: Duration) -> Result<Duration, String> {
    let stat = format!("/proc/{id}/stat");
    let began = Instant::now();
    // A zombie, which nobody may have collected, has ended.
    let alive = || std::fs::read_to_string(&stat).ok().filter(|s| !s.contains(") Z "));
    while let Some(last) = alive() {
        if began.elapsed() > patience {
            let _ = std::process::Command::new("kill").args(["-KILL", &id.to_string()]).status();
            return Err(last);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(began.elapsed())
}
