/* words.h - the words of the corpus. Nouns: singular, plural. Verbs: base, third person, past. */
#ifndef SYNERGY_WORDS_H
#define SYNERGY_WORDS_H

typedef struct noun {
    const char *one, *many;
} noun;
typedef struct verb {
    const char *base, *third, *past;
} verb;

#define S(x)                                                                                       \
    {                                                                                              \
#x, #x "s"                                                                                 \
    }
#define ES(x)                                                                                      \
    {                                                                                              \
#x, #x "es"                                                                                \
    }
#define V(x)                                                                                       \
    {                                                                                              \
#x, #x "s", #x "ed"                                                                        \
    }
#define VE(x)                                                                                      \
    {                                                                                              \
#x, #x "s", #x "d"                                                                         \
    }

/* clang-format off */
static const noun people[] = {
    S(teacher), S(farmer), S(doctor), S(baker), S(boy), S(girl), {"man", "men"}, {"woman", "women"},
    {"child", "children"}, S(sailor), S(painter), S(student), S(driver), S(neighbour), S(friend),
    S(king),
    S(queen), S(singer), S(writer), S(gardener), S(brother), S(sister), S(uncle), S(aunt), S(nurse),
    S(soldier), S(judge), S(pilot), S(cook), S(hunter), S(builder), S(dancer), S(miller), S(guest),
    S(visitor), S(player), S(worker), S(stranger), S(keeper), S(shepherd), S(lawyer), S(tailor),
    S(captain),
    S(clerk), S(dentist), S(fisher), S(guard), S(host), {"lady", "ladies"}, S(merchant), S(monk),
    S(officer), S(poet),
    S(porter), S(priest), S(prince), S(rider), S(scholar), S(servant), S(smith), S(traveller),
    S(twin),
    S(waiter), ES(witch), S(wizard), S(carpenter), S(actor), S(artist), S(engineer), S(explorer),
    S(beggar), S(bishop), {"boss", "bosses"},
    S(bride), S(butcher), S(champion), S(chemist), S(citizen), {"coach", "coaches"}, S(cousin),
    S(dealer), S(director), {"dwarf", "dwarves"},
    S(emperor), S(expert), S(fiddler), S(foreigner), {"genius", "geniuses"}, S(giant),
    S(grandmother), S(grandfather), {"hero", "heroes"},
    S(inventor), S(journalist), S(juggler), S(lodger), S(magician), S(mayor), S(mechanic),
    S(musician), S(nephew),
    S(niece), S(orphan), S(owner), S(peasant), S(philosopher), S(pirate), S(plumber), S(potter),
    {"princess", "princesses"},
    S(professor), S(pupil), S(rival), S(sculptor), {"secretary", "secretaries"}, S(speaker),
    {"spy", "spies"}, S(swimmer), {"thief", "thieves"}, S(tourist),
    S(victim), {"watchman", "watchmen"}, S(weaver), S(widow), S(winner)};
static const noun animals[] = {
    S(dog), S(cat), S(bird), S(horse), S(cow), {"sheep", "sheep"}, S(rabbit), {"mouse", "mice"},
    S(duck),
    S(goat), S(hen), ES(fox), {"wolf", "wolves"}, S(bear), S(lion), S(frog), S(snake), S(bee),
    {"goose", "geese"},
    S(owl), S(pig), S(tiger), S(monkey), S(spider), S(turtle), S(crow), {"deer", "deer"}, S(donkey),
    S(eagle), S(elephant),
    S(hamster), S(hedgehog), S(lamb), S(lizard), S(otter), S(parrot), S(penguin), S(pigeon),
    {"pony", "ponies"}, {"puppy", "puppies"},
    S(robin), S(seal), S(snail), S(sparrow), S(squirrel), S(swan), S(whale), S(worm), S(beetle),
    S(camel), S(badger), S(bat), S(beaver), S(bull), {"butterfly", "butterflies"}, S(chicken),
    S(cricket),
    S(dolphin), S(dove), S(falcon), S(ferret), S(gull), S(hare), S(heron), S(jackdaw), S(kitten),
    S(lark), S(leopard),
    S(magpie), S(mole), S(moth), S(mule), ES(ostrich), {"ox", "oxen"}, S(panther), S(peacock),
    S(pelican), S(raven), S(rat),
    {"salmon", "salmon"}, S(shark), S(stork), S(toad), {"trout", "trout"}, S(wasp), S(weasel),
    S(zebra)};
static const noun things[] = {
    S(key), S(book), S(lamp), S(cup), ES(box), S(ball), S(letter), S(coat), S(hat), S(bag),
    S(stone), S(ring),
    S(coin), S(map), {"knife", "knives"}, S(spoon), S(basket), S(bottle), S(candle), S(clock),
    S(flag), S(drum),
    S(kite), S(ladder), S(mirror), S(pen), S(pencil), S(plate), S(rope), S(shoe), S(umbrella),
    S(blanket),
    S(hammer), S(picture), S(toy), S(bell), S(chair), S(table), ES(dish), ES(brush), S(bucket),
    S(button),
    S(card), S(carpet), S(chain), S(comb), S(cushion), S(doll), S(envelope), S(feather), S(flute),
    S(fork),
    S(gift), ES(glass), S(glove), S(guitar), S(helmet), S(jar), S(jewel), S(kettle), S(lantern),
    S(lock), S(magnet),
    S(nail), S(needle), S(newspaper), S(package), S(pan), S(pillow), S(pipe), S(pot), S(purse),
    S(saddle), S(saw),
    {"scarf", "scarves"}, S(shell), S(shirt), S(shovel), S(sock), S(stamp), S(stick), S(sword),
    S(ticket),
    S(towel), S(tray), S(vase), S(violin), S(wallet), S(wheel), S(whistle), S(anchor), S(apron),
    S(arrow), S(axe), S(barrel),
    S(bead), S(belt), ES(bench), S(blade), S(board), S(boat), S(boot), S(bow), S(bowl), S(bracelet),
    S(brick), S(broom),
    S(cage), S(camera), S(cap), S(cart), S(chest), S(cloak), S(cloth), S(collar), ES(compass),
    S(cork), S(crown),
    S(curtain), S(desk), {"diary", "diaries"}, ES(dress), S(engine), S(fan), S(fence), S(flask),
    S(frame), S(hook), S(horn), S(jug),
    S(keyboard), S(marble), S(mask), S(medal), S(mug), S(notebook), S(oar), S(oven), S(paddle),
    S(parcel), S(pearl),
    S(piano), S(pin), S(pocket), S(poem), S(portrait), S(poster), S(puzzle), S(rake), S(ribbon),
    S(rug), S(sack),
    S(scale), S(screw), S(shield), S(sledge), S(spade), S(statue), S(stool), S(string), S(suitcase),
    S(tent), S(thread),
    ES(torch), S(trumpet), S(tube), S(veil), S(wagon), ES(watch), S(wire)};
static const noun places[] = {
    S(garden), S(kitchen), S(house), S(school), S(market), S(forest), S(room), S(office),
    S(station), S(park), S(shop),
    S(tower), S(hall), S(barn), S(cellar), S(castle), S(river), S(hill), S(bridge), S(street),
    S(harbour), S(field),
    S(village), S(yard), ES(church), S(farm), S(island), S(lake), {"library", "libraries"}, S(mill),
    S(museum), S(palace),
    S(path), S(road), S(square), S(stable), S(theatre), S(town), S(valley), S(well), S(attic),
    {"bakery", "bakeries"},
    S(bank), ES(beach), S(cabin), S(cave), S(cottage), S(gate), S(hospital), S(hotel), S(meadow),
    S(mountain), S(pond),
    S(workshop), S(airport), S(alley), {"balcony", "balconies"}, S(canal), S(chapel), S(clinic),
    S(cliff), S(corner), S(corridor),
    S(court), S(desert), {"factory", "factories"}, S(fountain), S(garage), S(inn), S(jungle),
    {"laboratory", "laboratories"}, S(lane), S(lighthouse),
    {"monastery", "monasteries"}, S(orchard), S(pier), S(plain), S(playground), S(port), S(prison),
    {"quarry", "quarries"}, S(restaurant), S(shed),
    S(spring), S(stadium), S(studio), S(swamp), S(tavern), S(temple), S(terrace), S(tunnel),
    {"university", "universities"}, S(vineyard)};
static const noun foods[] = {
    S(apple), S(egg), S(cake), S(pear), S(plum), S(carrot), S(onion), {"tomato", "tomatoes"},
    {"potato", "potatoes"},
    S(nut), S(cookie), {"loaf", "loaves"}, S(lemon), S(orange), S(banana), S(bean),
    {"berry", "berries"}, S(biscuit),
    S(cabbage), {"cherry", "cherries"}, S(grape), S(melon), S(mushroom), S(olive), S(pancake),
    ES(peach), S(pie),
    S(pumpkin), S(sausage), {"sandwich", "sandwiches"}};

static const verb moves[] = { /* without an object */
    V(walk), V(jump), {"run", "runs", "ran"}, {"sleep", "sleeps", "slept"},
    {"sing", "sings", "sang"}, V(work),
    V(play), V(laugh), VE(smile), {"cry", "cries", "cried"}, VE(dance), V(rest), V(wait),
    {"swim", "swims", "swam"},
    {"sit", "sits", "sat"}, {"stand", "stands", "stood"}, {"fall", "falls", "fell"}, VE(arrive),
    V(talk), V(listen),
    {"speak", "speaks", "spoke"}, {"wake", "wakes", "woke"}, {"rise", "rises", "rose"}, V(wander),
    V(climb),
    V(shout), V(whisper), V(cough), V(return), {"hurry", "hurries", "hurried"},
    {"leave", "leaves", "left"},
    {"grow", "grows", "grew"}, {"dream", "dreams", "dreamed"}, V(kneel), V(travel), V(sail),
    {"march", "marches", "marched"}, VE(breathe),
    V(yawn), V(stay), V(appear), VE(argue), V(bow), V(complain), V(disappear),
    {"fly", "flies", "flew"}, {"fight", "fights", "fought"}, V(frown), {"go", "goes", "went"},
    VE(hesitate), VE(hope),
    V(limp), {"lie", "lies", "lay"}, V(murmur), {"nod", "nods", "nodded"}, VE(practise),
    {"pray", "prays", "prayed"}, {"relax", "relaxes", "relaxed"}, V(row),
    {"sigh", "sighs", "sighed"}, VE(snore), VE(sneeze), VE(stumble), V(succeed), VE(tremble),
    V(turn),
    {"weep", "weeps", "wept"}, {"win", "wins", "won"}, V(wink), {"try", "tries", "tried"}};
static const verb acts[] = { /* with an object */
    {"see", "sees", "saw"}, {"find", "finds", "found"}, {"take", "takes", "took"}, V(open),
    V(clean), VE(like),
    V(paint), {"buy", "buys", "bought"}, {"sell", "sells", "sold"}, {"bring", "brings", "brought"},
    V(want),
    {"hold", "holds", "held"}, {"carry", "carries", "carried"}, V(need), VE(move),
    {"break", "breaks", "broke"},
    {"hide", "hides", "hid"}, {"keep", "keeps", "kept"}, {"lose", "loses", "lost"},
    {"make", "makes", "made"}, V(mend),
    {"choose", "chooses", "chose"}, {"draw", "draws", "drew"}, {"throw", "throws", "threw"},
    V(follow), V(visit),
    {"forget", "forgets", "forgot"}, {"give", "gives", "gave"}, {"know", "knows", "knew"}, V(help),
    {"watch", "watches", "watched"}, {"touch", "touches", "touched"},
    {"push", "pushes", "pushed"}, V(pull), V(lift), {"wash", "washes", "washed"}, V(fill),
    V(collect), V(borrow), V(count), V(cover), {"drop", "drops", "dropped"}, V(guard),
    VE(notice), V(order), V(pack), VE(receive), V(remember), V(repair), VE(share), V(show),
    {"steal", "steals", "stole"},
    {"wear", "wears", "wore"}, {"write", "writes", "wrote"}, {"feed", "feeds", "fed"},
    {"build", "builds", "built"},
    {"catch", "catches", "caught"}, {"send", "sends", "sent"}, {"tell", "tells", "told"},
    {"meet", "meets", "met"}, VE(admire), V(answer), VE(arrange), V(avoid), VE(balance),
    VE(blame), {"bite", "bites", "bit"}, {"burn", "burns", "burned"}, V(cook), VE(decorate),
    VE(describe), {"destroy", "destroys", "destroyed"}, VE(divide), {"eat", "eats", "ate"},
    V(enter), {"examine", "examines", "examined"},
    V(fear), {"forgive", "forgives", "forgave"}, V(greet), {"hear", "hears", "heard"}, VE(ignore),
    VE(imagine), V(invent), VE(invite), V(join), {"lead", "leads", "led"}, VE(love), V(mark),
    VE(measure), VE(observe),
    V(offer), {"pay", "pays", "paid"}, V(pick), V(plant), VE(praise), V(print), V(protect),
    V(question), VE(raise), {"ride", "rides", "rode"}, V(roll), VE(rescue), VE(save),
    {"search", "searches", "searched"},
    V(sharpen), V(sew), {"shake", "shakes", "shook"}, {"study", "studies", "studied"},
    {"sweep", "sweeps", "swept"},
    {"teach", "teaches", "taught"}, VE(tie), V(trust), {"understand", "understands", "understood"},
    V(unlock), VE(use),
    V(warn), {"wrap", "wraps", "wrapped"}};

static const char *const qualities[] = {
    "old", "new", "red", "small", "big", "green", "heavy", "warm", "cold", "blue", "dark", "bright",
    "clean", "broken",
    "quiet", "loud", "soft", "hard", "long", "short", "young", "kind", "brave", "clever", "tired",
    "happy", "sad",
    "angry", "proud", "lazy", "strong", "weak", "rich", "poor", "tall", "thin", "round", "white",
    "black", "yellow",
    "brown", "grey", "wet", "dry", "empty", "full", "cheap", "dear", "sweet", "bitter", "fresh",
    "strange", "simple",
    "gentle", "wild", "busy", "calm", "careful", "famous", "honest", "hungry", "lonely", "lucky",
    "narrow", "wide",
    "polite", "pretty", "rusty", "sharp", "shy", "silent", "silly", "slow", "quick", "smooth",
    "rough", "tiny", "huge",
    "useful", "wooden", "golden", "silver", "friendly", "gloomy", "noisy", "dusty", "foolish",
    "patient", "wise", "ancient", "awful", "bald", "bare", "blind", "bold", "bored", "charming",
    "cheerful", "clumsy", "cosy", "cruel", "curious", "damp", "deaf", "deep", "delicate", "dirty",
    "dull", "eager",
    "elegant", "enormous", "faint", "fair", "faithful", "false", "fat", "flat", "frozen", "funny",
    "generous", "grand",
    "grateful", "greedy", "handsome", "harmless", "hollow", "humble", "innocent", "jealous",
    "jolly", "lame", "lively",
    "loose", "lovely", "mad", "merry", "messy", "mighty", "modest", "naked", "neat", "nervous",
    "noble", "odd", "pale",
    "peaceful", "plain", "precious", "purple", "rare", "raw", "royal", "rude", "sacred", "salty",
    "scarlet", "serious",
    "shallow", "slim", "sour", "spare", "steep", "sticky", "stiff", "stubborn", "sudden", "tame",
    "tender", "thick",
    "thirsty", "tidy", "timid", "tough", "ugly", "upset", "vain", "violent", "weary", "wicked",
    "witty", "worn"};
static const char *const manners[] = {
    "slowly", "quickly", "quietly", "loudly", "happily", "sadly", "carefully", "often", "never",
    "always", "gently",
    "bravely", "softly", "suddenly", "calmly", "proudly", "politely", "angrily", "eagerly",
    "rarely", "secretly",
    "sometimes", "soon", "again", "early", "late", "well", "badly", "patiently", "wisely", "lazily",
    "kindly", "blindly", "boldly", "briefly", "busily",
    "clearly", "cruelly", "deeply", "easily", "faithfully", "firmly", "freely", "gladly",
    "gracefully", "greedily",
    "heavily", "honestly", "lightly", "nervously", "noisily", "perfectly", "playfully", "rapidly",
    "regularly",
    "rudely", "safely", "seriously", "sharply", "silently", "smoothly", "solemnly", "thoughtfully",
    "today", "warmly"};
static const char *const nearby[] = {
    "in", "near", "behind", "under", "beside", "above", "on", "with", "by", "from"};
static const char *const names[] = {
    "Ana", "Tom", "Maria", "Ben", "Lena", "Omar", "Ines", "Daniel", "Sara", "Paul", "Nina", "Max",
    "Eva", "Leo", "Mia",
    "Jan", "Rosa", "Karl", "Emma", "Ali", "Clara", "Hugo", "Lucy", "Peter", "Ida", "Felix", "Olga",
    "Sam", "Vera",
    "Adam", "Alice", "Anton", "Bella", "Boris", "Carlos", "Dora", "Elena", "Emil", "Fatima",
    "Frank", "Greta", "Hana",
    "Henry", "Igor", "Iris", "Jack", "Jane", "Jonas", "Julia", "Kate", "Laura", "Lars", "Lily",
    "Marco", "Marta",
    "Nadia", "Noah", "Oscar", "Petra", "Quinn", "Ravi", "Ruth", "Simon", "Sofia", "Theo", "Ursula",
    "Victor", "Wanda",
    "Yusuf", "Zoe", "Agnes", "Arthur", "Beatrice", "Bruno", "Cecilia", "Conrad",
    "David", "Diana", "Edgar", "Edith", "Flora", "Fritz", "George", "Gloria", "Harold", "Helena",
    "Ivan", "Irene",
    "Jacob", "Judith", "Kurt", "Lisa", "Luis", "Magda", "Martin", "Monica", "Nora", "Oliver",
    "Pablo", "Rita", "Robert",
    "Silvia", "Stefan", "Tamara", "Tobias", "Viola", "Walter", "Yara"};

/* a woman's or a man's name: for "she" and "he" */
static const char *const women =
    " Ana Maria Lena Ines Sara Nina Eva Mia Rosa Emma Clara Lucy Ida Olga Vera Alice Bella Dora"
    " Elena Fatima Greta Hana Iris Jane Julia Kate Laura Lily Marta Nadia Petra Ruth Sofia "
    "Ursula Wanda Zoe Agnes Beatrice Cecilia Diana Edith Flora Gloria Helena Irene Judith Lisa "
    "Magda Monica Nora Rita Silvia Tamara Viola Yara ";

#undef S
#undef ES
#undef V
#undef VE

#endif
