//! The embedded exchange in a process of its own, asked over HTTP for what it counted.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

pub struct Exchange {
    child: Child,
    rest: String,
    ws: String,
}

impl Exchange {
    /// `program exchange` with `args`, on a free port.
    pub fn start(program: &str, args: &[&str]) -> Self {
        let mut command = Command::new(program);
        command.arg("exchange").args(args).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let said: Value = serde_json::from_str(&line).unwrap();
        let of = |name: &str| said[name].as_str().unwrap().to_owned();
        Self { child, rest: of("rest"), ws: of("ws") }
    }

    /// The flags that lead a client here.
    pub fn flags(&self) -> Vec<&str> {
        vec!["--rest-url", &self.rest, "--ws-url", &self.ws]
    }

    /// What it counted.
    pub fn stats(&self) -> Value {
        self.get("/sim/stats")
    }

    /// The minute of the day that its clock shows.
    pub fn minute(&self) -> u64 {
        self.get("/sim/clock")["now"].as_u64().unwrap() / 60_000 % 1_440
    }

    fn get(&self, path: &str) -> Value {
        let address = self.rest.trim_start_matches("http://");
        let mut socket = TcpStream::connect(address).unwrap();
        let request = format!("GET {path} HTTP/1.0\r\nHost: {address}\r\nConnection: close\r\n\r\n");
        socket.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap()
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
