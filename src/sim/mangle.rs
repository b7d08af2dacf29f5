//! A frame of data on its way out, and what faults make of it.

use serde_json::Value;
use tokio_tungstenite::tungstenite::protocol::Message;
use tokio_tungstenite::tungstenite::protocol::frame::Frame as Raw;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

use super::fault::Fault;
use super::fault::frames::FrameFault;
use super::fault::scope::Target;
use super::fault::sockets::StreamClass;
use super::feed::{Frame, Kind};
use super::wire;
use super::world::World;

/// What stands for a value that is no JSON until the text is made.
const HOLE: &str = "@hole@";

/// Turns the frames of one socket into messages.
#[derive(Debug, Default)]
pub(crate) struct Mangle {
    /// A frame that lets the next one go first.
    kept: Vec<Message>,
}

impl Mangle {
    /// The messages that a frame becomes; none where it is lost.
    pub(crate) fn messages(
        &mut self,
        frame: &Frame,
        combined: bool,
        target: &Target<'_>,
        world: &World,
    ) -> Vec<Message> {
        let class = if frame.kind == Kind::Other { StreamClass::Other } else { StreamClass::Kline };
        let faults = world.strikes(target, |f| match f {
            Fault::Frame(FrameFault::WsSilence { class: Some(only) }) if *only != class => None,
            Fault::Frame(f) if !f.of_closes() => Some(f.clone()),
            _ => None,
        });
        if faults.iter().any(|f| matches!(f, FrameFault::WsSilence { .. })) {
            world.count(|s| s.lost += 1);
            return Vec::new();
        }
        let mut out: Vec<Message> = faults.iter().filter_map(|f| stranger(f, frame, combined)).collect();
        let text = text(frame, combined, &faults);
        let mut messages = vec![Message::Text(text.clone().into())];
        for fault in &faults {
            match fault {
                FrameFault::Fragmented { pieces } => messages = fragments(&text, *pieces),
                FrameFault::Repeat {} => messages.extend(messages.clone()),
                _ => {}
            }
        }
        if faults.contains(&FrameFault::Reorder {}) && self.kept.is_empty() {
            self.kept = messages;
            return out;
        }
        out.append(&mut messages);
        out.append(&mut self.kept);
        out
    }
}

fn text(frame: &Frame, combined: bool, faults: &[FrameFault]) -> String {
    let mut data = frame.data.clone();
    for fault in faults {
        data = edited(data, fault);
    }
    if combined { wire::combined(&frame.stream, &data) } else { data }
}

/// The data as a fault leaves it; the data itself where the fault is about something else.
fn edited(data: String, fault: &FrameFault) -> String {
    if !matches!(
        fault,
        FrameFault::OldEvent { .. }
            | FrameFault::ClockSkew { .. }
            | FrameFault::Microseconds {}
            | FrameFault::MissingField { .. }
            | FrameFault::ExtraField { .. }
            | FrameFault::BadValue { .. }
    ) {
        return data;
    }
    let Ok(mut value) = serde_json::from_str::<Value>(&data) else { return data };
    match &mut value {
        Value::Array(rows) => rows.iter_mut().for_each(|row| edit(row, fault)),
        event => edit(event, fault),
    }
    let text = value.to_string();
    match fault {
        FrameFault::BadValue { value, .. } => text.replace(&format!("\"{HOLE}\""), value),
        _ => text,
    }
}

fn edit(event: &mut Value, fault: &FrameFault) {
    let shift = |event: &mut Value, by: i64| {
        if let Some(time) = event.get_mut("E")
            && let Some(ms) = time.as_i64()
        {
            *time = (ms + by).into();
        }
    };
    match fault {
        FrameFault::OldEvent { by_ms } => shift(event, -by_ms),
        FrameFault::ClockSkew { by_ms } => shift(event, *by_ms),
        FrameFault::Microseconds {} => {
            each(event, |object| {
                for name in ["E", "t", "T", "O", "C"] {
                    if let Some(time) = object.get_mut(name)
                        && let Some(ms) = time.as_i64()
                    {
                        *time = (ms * 1_000).into();
                    }
                }
            });
        }
        FrameFault::MissingField { name } => each(event, |object| drop(object.remove(name))),
        FrameFault::ExtraField { name } => each(event, |object| {
            object.entry(name.clone()).or_insert(1.into());
        }),
        FrameFault::BadValue { name, .. } => each(event, |object| {
            if let Some(value) = object.get_mut(name) {
                *value = HOLE.into();
            }
        }),
        _ => {}
    }
}

/// The event's own fields, and those of its candle.
fn each(event: &mut Value, change: impl Fn(&mut serde_json::Map<String, Value>)) {
    if let Some(candle) = event.get_mut("k").and_then(Value::as_object_mut) {
        change(candle);
    }
    if let Some(object) = event.as_object_mut() {
        change(object);
    }
}

/// A message that a fault puts before the frame.
fn stranger(fault: &FrameFault, frame: &Frame, combined: bool) -> Option<Message> {
    let text = match fault {
        FrameFault::Garbage { text } => text.clone(),
        FrameFault::Deep { levels } => "[".repeat(*levels) + &"]".repeat(*levels),
        FrameFault::Empty {} => String::new(),
        FrameFault::Oversized { bytes } => format!("{{\"e\":\"pad\",\"p\":\"{}\"}}", "x".repeat(*bytes)),
        FrameFault::UnknownEvent {} => {
            let event = "{\"e\":\"somethingNew\",\"E\":1,\"x\":{\"y\":[]}}";
            if combined { wire::combined(&frame.stream, event) } else { event.to_owned() }
        }
        FrameFault::Binary {} => return Some(Message::Binary(vec![0, 159, 146, 150].into())),
        FrameFault::InvalidUtf8 {} => {
            let bytes: &[u8] = b"{\"e\":\"\xff\xfe\"}";
            return Some(Message::Frame(Raw::message(bytes, OpCode::Data(Data::Text), true)));
        }
        _ => return None,
    };
    Some(Message::Text(text.into()))
}

fn fragments(text: &str, pieces: usize) -> Vec<Message> {
    let size = text.len().div_ceil(pieces.max(1)).max(1);
    let count = text.len().div_ceil(size);
    let parts = text.as_bytes().chunks(size).enumerate();
    parts
        .map(|(n, part)| {
            let kind = if n == 0 { Data::Text } else { Data::Continue };
            Message::Frame(Raw::message(part.to_vec(), OpCode::Data(kind), n + 1 == count))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENT: &str = r#"{"E":5000,"e":"kline","k":{"B":"0","c":"7.5","t":100},"s":"A"}"#;

    #[test]
    fn fields_go_come_and_change_in_the_event_and_its_candle() {
        let of = |fault| edited(EVENT.to_owned(), &fault);
        let name = |n: &str| n.to_owned();
        assert!(!of(FrameFault::MissingField { name: name("B") }).contains("\"B\""));
        assert!(of(FrameFault::ExtraField { name: name("st") }).contains("\"st\":1"));
        assert!(of(FrameFault::OldEvent { by_ms: 4_000 }).contains("\"E\":1000"));
        assert!(of(FrameFault::ClockSkew { by_ms: 4_000 }).contains("\"E\":9000"));
        let micro = of(FrameFault::Microseconds {});
        assert!(micro.contains("\"E\":5000000") && micro.contains("\"t\":100000"), "{micro}");
        let bad = of(FrameFault::BadValue { name: name("c"), value: name("NaN") });
        assert!(bad.contains("\"c\":NaN"), "{bad}");
        assert_eq!(of(FrameFault::Repeat {}), EVENT);
    }

    #[test]
    fn pieces_make_up_the_text() {
        let parts = fragments(EVENT, 3);
        let bytes: Vec<u8> = parts.iter().flat_map(|p| p.clone().into_data().to_vec()).collect();
        assert_eq!((parts.len(), bytes), (3, EVENT.as_bytes().to_vec()));
    }
}
