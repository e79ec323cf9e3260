import { randomInt } from 'node:crypto';

const ADJECTIVES =
  'able amber bold brave bright brisk calm candid clever cosy crisp daring deft eager earnest fair fearless firm fleet fond frank gallant gentle glad golden handy happy hardy hearty honest humble jolly keen kind lively loyal lucid lucky merry mighty modest neat nimble noble patient placid plucky polite proud quick quiet ready robust serene sharp silver sincere snug sober spry stable steady stoic sturdy sunny swift tidy trusty upbeat valiant vivid warm wise witty zesty'.split(
    ' ',
  );
const NOUNS =
  'anchor anvil beacon bollard bosun bowline brig buoy cabin capstan cargo clipper compass coral cove cutter deck dinghy dock dory ferry fjord fleet galley gull halyard harbor hatch haven helm hull island jetty keel ketch lagoon lantern ledger lighthouse locker lugger mariner mast mole mooring oar pier pilot port prow quay raft reef rigging rudder sail schooner sextant shoal skiff sloop sounding spar stern surf tide tiller topsail trawler tug voyage wharf winch yawl'.split(
    ' ',
  );

/** A free `adjective_noun` name; after ten taken ones a number follows, so that it always ends. */
export function generateName(isTaken: (name: string) => boolean): string {
  for (let attempt = 0; ; attempt += 1) {
    const pick = (words: readonly string[]): string => words[randomInt(words.length)] ?? '';
    const name = `${pick(ADJECTIVES)}_${pick(NOUNS)}${attempt < 10 ? '' : String(attempt)}`;
    if (!isTaken(name)) return name;
  }
}
