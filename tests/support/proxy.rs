//! A TCP proxy on loopback that can be made to fail as networks do, while connections are open.

#![allow(dead_code, reason = "each test uses some of it")]

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// What happens to the bytes of open connections and of new ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flow {
    /// They pass.
    Pass,
    /// They stop in both directions, and TCP lives: a half-open connection. What was on its way
    /// passes when the flow does again.
    Stall,
    /// One at a time towards the client, with a pause after each.
    Drip(Duration),
    /// One bit of each piece towards the client is another.
    Corrupt,
}

/// What happens to new connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Door {
    /// They are put through.
    Open,
    /// They come up, and nothing ever answers.
    Blackhole,
    /// They are reset.
    Shut,
}

/// How open connections end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Strike {
    /// RST, now.
    Reset,
    /// Half of the next piece towards the client, then RST: in the middle of a frame.
    ResetMidway,
    /// FIN on both sides, now.
    Fin,
    /// Half of the next piece towards the client, then FIN.
    Truncate,
    /// FIN towards the client, whose own bytes go on to the server.
    HalfClose,
}

#[derive(Clone, Copy, Debug)]
struct Orders {
    flow: Flow,
    door: Door,
    /// A strike, and which connections are older than it.
    strike: Option<(u64, Strike)>,
}

/// The running proxy; ends when dropped.
pub(crate) struct FaultProxy {
    address: SocketAddr,
    orders: watch::Sender<Orders>,
    opened: watch::Receiver<u64>,
    task: JoinHandle<()>,
}

impl FaultProxy {
    /// A proxy that passes all on to `target`.
    pub(crate) async fn start(target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (orders, told) = watch::channel(Orders { flow: Flow::Pass, door: Door::Open, strike: None });
        let (count, opened) = watch::channel(0);
        let task = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                let number = *count.borrow() + 1;
                count.send_replace(number);
                while connections.try_join_next().is_some() {}
                connections.spawn(serve(client, target, number, told.clone()));
            }
        });
        Self { address, orders, opened, task }
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Changes what happens to bytes.
    pub(crate) fn flow(&self, flow: Flow) {
        self.orders.send_modify(|o| o.flow = flow);
    }

    /// Changes what happens to new connections.
    pub(crate) fn door(&self, door: Door) {
        self.orders.send_modify(|o| o.door = door);
    }

    /// Ends all connections that are open now.
    pub(crate) fn strike(&self, strike: Strike) {
        let open = *self.opened.borrow();
        self.orders.send_modify(|o| o.strike = Some((open, strike)));
    }

    /// How many connections there have been.
    pub(crate) fn opened(&self) -> u64 {
        *self.opened.borrow()
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// How a pump ended.
#[derive(PartialEq, Eq)]
enum End {
    /// The sender was done: the other direction may go on.
    Eof,
    Fin,
    Reset,
}

async fn serve(mut client: TcpStream, target: SocketAddr, number: u64, orders: watch::Receiver<Orders>) {
    let door = orders.borrow().door;
    match door {
        Door::Open => {}
        Door::Blackhole => {
            // Until the client gives up, or an order to strike comes.
            let mut mine = Mine { orders, number };
            let mut nobody = [0; 64];
            tokio::select! {
                () = async { while client.read(&mut nobody).await.is_ok_and(|n| n > 0) {} } => {}
                _ = mine.struck() => {}
            }
            return reset(client);
        }
        Door::Shut => return reset(client),
    }
    let Ok(mut server) = TcpStream::connect(target).await else { return reset(client) };
    let end = {
        let (client_in, client_out) = client.split();
        let (server_in, server_out) = server.split();
        let mine = || Mine { orders: orders.clone(), number };
        let up = pump_up(client_in, server_out, mine());
        let down = pump_down(server_in, client_out, mine());
        tokio::pin!(up, down);
        // The end of one direction is not that of the other, but for a strike.
        tokio::select! {
            end = &mut up => if end == End::Eof { down.await } else { end },
            end = &mut down => if end == End::Eof { up.await } else { end },
        }
    };
    if end == End::Reset {
        reset(client);
        reset(server);
    }
}

fn reset(stream: TcpStream) {
    // Without lingering, closing is a reset.
    let _ = stream.set_zero_linger();
    drop(stream);
}

/// The orders that concern one connection.
struct Mine {
    orders: watch::Receiver<Orders>,
    number: u64,
}

impl Mine {
    fn flow(&self) -> Flow {
        self.orders.borrow().flow
    }

    fn strike(&self) -> Option<Strike> {
        self.orders.borrow().strike.filter(|(older, _)| self.number <= *older).map(|(_, strike)| strike)
    }

    async fn changed(&mut self) {
        if self.orders.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    async fn struck(&mut self) -> Strike {
        loop {
            if let Some(strike) = self.strike() {
                return strike;
            }
            self.changed().await;
        }
    }

    /// Waits until bytes may flow, or the end comes.
    async fn gate(&mut self) -> Result<(), End> {
        loop {
            match self.strike() {
                Some(Strike::Reset) => return Err(End::Reset),
                Some(Strike::Fin) => return Err(End::Fin),
                _ if self.flow() == Flow::Stall => self.changed().await,
                _ => return Ok(()),
            }
        }
    }

    /// The next piece; `None` when the orders changed before it came.
    async fn read(&mut self, from: &mut ReadHalf<'_>, piece: &mut [u8]) -> Option<usize> {
        tokio::select! {
            // What is there already must not slip past an order.
            biased;
            () = self.changed() => None,
            n = from.read(piece) => Some(n.unwrap_or(0)),
        }
    }
}

async fn pump_up(mut from: ReadHalf<'_>, mut to: WriteHalf<'_>, mut mine: Mine) -> End {
    let mut piece = vec![0; 16 << 10];
    loop {
        if let Err(end) = mine.gate().await {
            return end;
        }
        let Some(n) = mine.read(&mut from, &mut piece).await else { continue };
        if n == 0 || to.write_all(&piece[..n]).await.is_err() {
            let _ = to.shutdown().await;
            return End::Eof;
        }
    }
}

async fn pump_down(mut from: ReadHalf<'_>, mut to: WriteHalf<'_>, mut mine: Mine) -> End {
    let mut piece = vec![0; 16 << 10];
    loop {
        if let Err(end) = mine.gate().await {
            return end;
        }
        if mine.strike() == Some(Strike::HalfClose) {
            let _ = to.shutdown().await;
            return End::Eof;
        }
        let Some(n) = mine.read(&mut from, &mut piece).await else { continue };
        let piece = &mut piece[..n];
        let (passes, end) = match mine.strike() {
            Some(Strike::ResetMidway) => (n / 2, Some(End::Reset)),
            Some(Strike::Truncate) => (n / 2, Some(End::Fin)),
            _ => (n, None),
        };
        if n == 0 || !send(&mut to, &mut piece[..passes], &mut mine).await {
            let _ = to.shutdown().await;
            return End::Eof;
        }
        if let Some(end) = end {
            return end;
        }
    }
}

/// Sends a piece towards the client as the flow wants it; `false` when the client has gone.
async fn send(to: &mut WriteHalf<'_>, piece: &mut [u8], mine: &mut Mine) -> bool {
    if mine.flow() == Flow::Corrupt
        && let Some(byte) = piece.last_mut()
    {
        *byte ^= 0x10;
    }
    let mut rest = &*piece;
    while let (Flow::Drip(pause), Some((first, tail))) = (mine.flow(), rest.split_first()) {
        if to.write_all(&[*first]).await.is_err() || mine.strike().is_some() {
            return false;
        }
        rest = tail;
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = mine.changed() => {}
        }
    }
    to.write_all(rest).await.is_ok()
}
