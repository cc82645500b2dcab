use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;

use super::*;

fn pipes() -> Rc<Pipes> {
    Rc::new(Pipes::new(Arc::default()))
}

/// A pipe with these bytes.
fn filled(pipes: &Rc<Pipes>, content: &[u8]) -> Filled {
    let (mut theirs, ours) = UnixStream::pair().unwrap();
    theirs.write_all(content).unwrap();
    let mut filled = pipes.take().unwrap();
    assert_eq!(filled.fill_from(&ours, u64::MAX, false).unwrap(), content.len());
    filled
}

/// The next piece, which is in a pipe.
fn next(filled: &mut Filled) -> PipedPart {
    match filled.next() {
        Some(Piece::Piped(part)) => part,
        Some(Piece::Bytes(bytes)) => panic!("in memory: {bytes:?}"),
        None => panic!("there is none"),
    }
}

/// All of them, which are one.
fn part(pipes: &Rc<Pipes>, content: &[u8]) -> PipedPart {
    next(&mut filled(pipes, content))
}

#[test]
fn what_goes_in_comes_out() {
    let pipes = pipes();
    let (ours, mut theirs) = UnixStream::pair().unwrap();
    let mut piped = part(&pipes, b"hello");
    assert_eq!(piped.send_to(&ours).unwrap(), 5);
    let mut arrived = [0; 5];
    theirs.read_exact(&mut arrived).unwrap();
    assert_eq!((&arrived, piped.length()), (b"hello", 0));
    assert_eq!(part(&pipes, b"world").take_out().unwrap(), "world");
    drop(piped);
    assert_eq!(pipes.held(), 2);
}

#[test]
fn one_that_is_not_empty_is_not_used_again() {
    let pipes = pipes();
    drop(part(&pipes, b"hello"));
    assert_eq!(pipes.held(), 0);
    assert_eq!(part(&pipes, b"world").take_out().unwrap(), "world");
    assert_eq!(pipes.held(), 1);
}

const PIECE: usize = 256 * 1024;

/// A pipe with more than two pieces, and a socket that takes them.
fn with_three_pieces(pipes: &Rc<Pipes>) -> (Filled, UnixStream, UnixStream) {
    let mut filled = pipes.take().unwrap();
    let content: Vec<u8> = (0..2 * PIECE + 5).map(|at| (at % 251) as u8).collect();
    {
        let held = filled.held.pipe.borrow();
        let mut at = 0;
        while at < content.len() {
            at += rustix::io::write(&held.as_ref().unwrap().into, &content[at..]).unwrap();
        }
    }
    filled.held.inside.set(content.len());
    filled.left = content.len();
    let (ours, theirs) = UnixStream::pair().unwrap();
    ours.set_nonblocking(true).unwrap();
    socket2::SockRef::from(&ours).set_send_buffer_size(PIECE / 4).unwrap();
    (filled, ours, theirs)
}

#[test]
fn it_is_emptied_piece_by_piece() {
    let pipes = pipes();
    let (mut filled, ours, mut theirs) = with_three_pieces(&pipes);
    let mut arrived = Vec::new();
    for length in [PIECE, PIECE, 5] {
        let mut piece = next(&mut filled);
        assert_eq!(piece.length(), length);
        while piece.length() > 0 {
            let sent = piece.send_to(&ours).unwrap();
            let before = arrived.len();
            arrived.resize(before + sent, 0);
            theirs.read_exact(&mut arrived[before..]).unwrap();
        }
    }
    assert!(filled.next().is_none());
    assert!(arrived.iter().enumerate().all(|(at, byte)| *byte == (at % 251) as u8));
    drop(filled);
    assert_eq!(pipes.held(), 1);
}

/// The pipe is free then, and what was in it is still handed on piece by piece.
#[test]
fn what_was_taken_out_comes_from_memory() {
    let pipes = pipes();
    let (mut filled, ours, _theirs) = with_three_pieces(&pipes);
    let mut piece = next(&mut filled);
    assert!(!filled.is_slow());
    let mut sent = 0;
    while piece.length() > 0
        && let Ok(more) = piece.send_to(&ours)
    {
        sent += more;
    }
    assert!(sent > 0 && piece.length() > 0 && filled.is_slow());
    let mut arrived = piece.take_out().unwrap().to_vec();
    assert_eq!((arrived.len(), pipes.held()), (PIECE - sent, 1));
    for length in [PIECE, 5] {
        let Some(Piece::Bytes(bytes)) = filled.next() else { panic!("not in memory") };
        assert_eq!(bytes.len(), length);
        arrived.extend_from_slice(&bytes);
    }
    assert!(filled.next().is_none());
    assert!(arrived.iter().enumerate().all(|(at, byte)| *byte == ((at + sent) % 251) as u8));
    drop(filled);
    assert_eq!(pipes.held(), 1, "the same");
}

/// Dropped, the pipe goes with what is in it.
#[test]
fn what_was_not_handed_on_is_not_used_again() {
    let pipes = pipes();
    let (mut filled, _ours, _theirs) = with_three_pieces(&pipes);
    drop(next(&mut filled));
    drop(filled);
    assert_eq!(pipes.held(), 0);
}

#[test]
fn where_the_system_does_not_splice_there_is_none() {
    assert!(try_to_splice().is_ok());
    let budget = PipeBudget { splices: false, ..PipeBudget::default() };
    assert!(Rc::new(Pipes::new(Arc::new(budget))).take().is_none());
}

/// Over all threads, and there are fewer large ones than small ones.
#[test]
fn there_is_a_bound() {
    let [one, other] = [pipes(), pipes()];
    let budget = Arc::clone(&one.budget);
    let both = [&one, &Rc::new(Pipes::new(budget))];
    let taken: Vec<_> = both.iter().flat_map(|pipes| std::iter::from_fn(|| pipes.take())).collect();
    let large =
        taken.iter().filter(|part| part.held.pipe.borrow().as_ref().unwrap().size == 0).count();
    assert_eq!((taken.len(), large), (96, 32));
    assert!(other.take().is_some(), "another gateway's");
    drop(taken);
    let kept: Vec<_> = both.iter().map(|pipes| pipes.held()).collect();
    assert_eq!(kept, [KEPT, 0]);
    let taken: Vec<_> = std::iter::from_fn(|| one.take()).collect();
    assert_eq!(taken.len(), 96);
}
