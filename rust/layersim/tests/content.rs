//! The bytes of a file as pieces, against a plain vector.

#![expect(clippy::expect_used, reason = "a test stops where what it needs is not there")]

use layersim::Content;
use proptest::prelude::*;

const LONGEST: usize = 300;

#[derive(Debug, Clone)]
enum Act {
    Write(usize, Vec<u8>),
    /// Where the last write ended.
    GoOn(Vec<u8>),
    Truncate(usize),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let bytes = || prop::collection::vec(any::<u8>(), 0..40);
    let write = (0..LONGEST, bytes()).prop_map(|(at, bytes)| Act::Write(at, bytes));
    let act = prop_oneof![2 => write, 2 => bytes().prop_map(Act::GoOn), 1 => (0..LONGEST).prop_map(Act::Truncate)];
    prop::collection::vec(act, 0..30)
}

fn apply(content: &mut Content, plain: &mut Vec<u8>, act: &Act, place: &mut usize) {
    match act {
        Act::Write(at, bytes) => {
            content.write_at(*at as u64, bytes);
            if !bytes.is_empty() {
                plain.resize(plain.len().max(at + bytes.len()), 0);
                plain[*at..at + bytes.len()].copy_from_slice(bytes);
            }
            *place = at + bytes.len();
        }
        Act::GoOn(bytes) => apply(content, plain, &Act::Write(*place, bytes.clone()), place),
        Act::Truncate(len) => {
            content.truncate(*len as u64);
            plain.resize(*len, 0);
        }
    }
}

proptest! {
    #[test]
    fn pieces_are_a_plain_file(start in prop::collection::vec(any::<u8>(), 0..100), acts in acts(), at in 0..LONGEST) {
        let (mut content, mut plain) = (Content::from(start.clone()), start.clone());
        let first = content.clone();
        let mut place = 0;
        for act in &acts {
            apply(&mut content, &mut plain, act, &mut place);
            prop_assert_eq!(content.len(), plain.len() as u64);
        }
        prop_assert_eq!(content.read(0..u64::MAX).expect("short"), plain.clone());
        prop_assert_eq!(content.read(at as u64..u64::MAX).expect("short"), plain.get(at..).unwrap_or_default().to_vec());
        prop_assert_eq!(first.read(0..u64::MAX).expect("short"), start, "a copy shares bytes, not changes");
        let mut written = Vec::new();
        content.write_to(&mut written).expect("a vector takes all");
        prop_assert_eq!(&written, &plain);
        prop_assert!(content.same_bytes(&Content::from(plain)));
    }

    #[test]
    fn seeded_bytes_do_not_depend_on_how_they_are_read(seed in any::<u64>(), at in 0_u64..5000, len in 0_u64..100) {
        let content = Content::seeded(seed, 6000);
        let whole = content.read(0..6000).expect("short");
        let part = content.read(at..at + len).expect("short");
        let start = usize::try_from(at).expect("small");
        prop_assert_eq!(part.as_slice(), &whole[start..start + part.len()]);
    }
}

#[test]
fn a_hole_of_an_exabyte_takes_no_room() {
    let mut content = Content::hole(1 << 60);
    content.write_at(1 << 59, b"x");
    assert_eq!(content.read((1 << 59) - 1..(1 << 59) + 2).expect("short"), b"\0x\0");
    assert!(content.read(0..u64::MAX).is_err(), "nobody has room for it");
}
