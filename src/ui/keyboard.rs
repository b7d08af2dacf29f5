//! Keys, pastes and new sizes, read by a thread of their own.
//!
//! The terminal library's reader never comes back from a terminal that has hung up: it reads the
//! end of the file again and again. In the screen's loop, where the library's own stream reads now
//! and then, it would take the loop with it. The thread may be lost; the process ends without it.

use std::io;
use std::thread;

use crossterm::event::{self, Event};
use futures_util::{Stream, stream};
use tokio::sync::mpsc;

/// Full: the reader waits, and the terminal keeps what is typed.
const EVENTS: usize = 64;

/// What the terminal sends. Ends after an error, or never. One in a process: the thread can't be
/// cancelled and reads on.
pub(super) fn events() -> io::Result<impl Stream<Item = io::Result<Event>> + Unpin> {
    let (read, mut typed) = mpsc::channel(EVENTS);
    thread::Builder::new().name("keyboard".into()).spawn(move || pump(event::read, &read))?;
    Ok(stream::poll_fn(move |cx| typed.poll_recv(cx)))
}

fn pump(mut read: impl FnMut() -> io::Result<Event>, to: &mpsc::Sender<io::Result<Event>>) {
    loop {
        let event = read();
        let last = event.is_err();
        if to.blocking_send(event).is_err() || last {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_come_in_order_wait_where_there_is_no_room_and_end_with_an_error() {
        let (read, mut typed) = mpsc::channel(1);
        let mut sizes = 0..3;
        let source =
            move || sizes.next().map(|n| Event::Resize(n, n)).ok_or_else(|| io::Error::other("gone"));
        let pumping = thread::spawn(move || pump(source, &read));
        for n in 0..3 {
            assert_eq!(typed.blocking_recv().unwrap().unwrap(), Event::Resize(n, n));
        }
        assert!(typed.blocking_recv().unwrap().is_err());
        assert!(typed.blocking_recv().is_none());
        pumping.join().unwrap();
    }

    #[test]
    fn it_ends_where_nobody_listens() {
        let (read, typed) = mpsc::channel(1);
        drop(typed);
        pump(|| Ok(Event::FocusGained), &read);
    }
}
