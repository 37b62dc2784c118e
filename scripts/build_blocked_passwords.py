"""Writes `tokenboard/accounts/blocked_passwords.txt`: what people who guess passwords try first.

    python -m scripts.build_blocked_passwords

Where it comes from: the passwords that head every published list of leaked ones (rockyou, the NCSC's and SecLists'
top lists), as known, and the patterns those lists are full of: a word with a year or digits behind it, rows and walks
on the keyboard, repeated pairs, dates; and the words of this product (OWASP ASVS 5.0, 6.1.2 and 6.2.11).
Only what is 8 characters or longer is kept: shorter ones are refused by their length.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from pathlib import Path

TARGET = Path(__file__).resolve().parents[1] / "tokenboard" / "accounts" / "blocked_passwords.txt"
SHORTEST = 8

HEAD = """
123456789 12345678 1234567890 password password1 password12 password123 password1234 password12345 qwertyuiop
11111111 87654321 00000000 88888888 99999999 12341234 11223344 12344321 123123123 987654321 9876543210 0123456789
0987654321 1q2w3e4r 1q2w3e4r5t 1q2w3e4r5t6y 1qaz2wsx 1qaz2wsx3edc qazwsxedc qazwsx123 zaq12wsx zaq1xsw2 1qazxsw2
q1w2e3r4 q1w2e3r4t5 q1w2e3r4t5y6 qwerty12 qwerty123 qwerty1234 qwerty12345 qwerty123456 asdfghjkl asdf1234 asdfasdf
zxcvbnm123 zxcvbnm1 zxcvbnm, abcd1234 abcd12345 abc12345 abc123456 abc123abc abcdefgh abcdefghi abcdefg1 a1b2c3d4
a1b2c3d4e5 a123456789 a12345678 aa123456 aa12345678 aaaaaaaa 123456789a 123456789q 12345678a 12345678910 1234567891
123456789123 123456789abc 123456abc 123456aa 1234qwer 1234abcd 123qweasd 123qweasdzxc qweasdzxc qweasd123 qwer1234
qwerqwer 147258369 147852369 159357456 159753456 741852963 963852741 789456123 789456123a 321654987 456789123
102030405 1020304050 10203040 12131415 12121212 13131313 14141414 23232323 69696969 66666666 55555555 77777777
22222222 33333333 44444444 1111111111 111111111 999999999 555555555 000000000 0000000000 112233445566 123321123
123456654321 1234554321 123abc123 iloveyou iloveyou1 iloveyou2 iloveyou12 iloveyou123 iloveu123 iloveme1 ilovegod
loveyou1 loveyou2 lovelove lovely12 loveme123 sunshine sunshine1 princess princess1 princess12 princess123 football
football1 football12 football123 baseball baseball1 basketball basketball1 softball volleyball superman superman1
batman123 spiderman spiderman1 starwars starwars1 pokemon1 pokemon123 michelle michelle1 jennifer jessica1 jessica12
charlie1 charlie123 ashley12 daniel12 michael1 michael123 jordan23 jordan123 matthew1 anthony1 joshua12 andrew12
computer computer1 internet internet1 letmein1 letmein123 welcome1 welcome12 welcome123 welcome1234 welcome2 admin123
admin1234 admin12345 admin123456 administrator administrator1 adminadmin admin@123 p@ssw0rd p@ssword p@ssw0rd1
p@ssw0rd123 passw0rd passw0rd1 passw0rd123 pa$$w0rd pa$$word pa55word pa55w0rd password! password1! password123!
password@123 password@1 passpass passwort passwort1 motdepasse contraseña contrasena kennwort hallo123 hallo1234
schatz12 ficken123 soleil123 azertyuiop azerty123 azerty12 qwertz123 qwertzuiop changeme changeme1 changeme123
changeit default1 default123 secret123 secret12 topsecret test1234 test12345 test123456 testtest testing1 testing123
tester123 guest123 guest1234 user1234 user12345 username username1 root1234 rootroot toor1234 demo1234 demodemo
temp1234 temp12345 temporary temporal qwe12345 qwe123qwe qweqweqwe asd12345 asd123asd asdasdasd zxc12345 zxc123zxc
trustno1 whatever whatever1 whatever12 dragon12 dragon123 dragon1234 monkey12 monkey123 monkey1234 shadow12 shadow123
master12 master123 masterkey mustang1 hunter12 hunter123 hunter2hunter2 killer12 killer123 ninja123 freedom1 freedom123
midnight midnight1 lightning thunder1 phoenix1 tigger12 snoopy12 garfield scoobydoo simpsons butterfly butterfly1
chocolate chocolate1 strawberry blueberry watermelon cheesecake chocolat hamburger sandwich spaghetti elephant dolphin1
dolphins penguin1 panther1 panthers cowboys1 steelers yankees1 redsox04 lakers24 liverpool liverpool1 arsenal1 chelsea1
chelsea123 barcelona barcelona1 realmadrid manchester manunited juventus rangers1 everton1 bayern123 slipknot metallica
nirvana1 greenday blink182 linkinpark eminem123 rockstar rockstar1 babygirl babygirl1 babyboy1 sweetheart sweety12
angel123 angels12 heaven12 blessed1 blessing jesuschrist jesus123 jesus777 godisgood godislove faith123 trinity1
gangster gangsta1 playboy1 porsche1 porsche911 ferrari1 ferrari123 mercedes mercedes1 corvette chevrolet mustang123
toyota12 harley12 yamaha12 suzuki12 nintendo nintendo64 playstation xbox3600 minecraft minecraft1 fortnite fortnite1
roblox123 warcraft worldofwarcraft starcraft counterstrike callofduty leagueoflegends pikachu1 naruto123 dragonball
myspace1 facebook facebook1 facebook123 google123 google12 twitter1 youtube1 linkedin linkedin1 instagram yahoo123
hotmail1 gmail123 microsoft microsoft1 windows1 windows7 windows10 samsung1 samsung123 iphone12 android1 apple123
america1 american1 australia canada12 england1 germany1 france98 brazil123 mexico123 newyork1 california losangeles
chicago1 texas123 florida1 london12 paris123 berlin123 moscow123 istanbul india123 pakistan pakistan1 indonesia
jakarta123 bismillah sayang123 sayangku cintaku1 anjing123 qwerty123456789 1234567890q qazwsxedcrfv 1qaz@wsx !qaz2wsx
1qaz!qaz !qaz@wsx zaq!2wsx qwertyui qwertyu1 qwerty11 qwerty99 qwerty00 qwerty!1 q1w2e3r4t5y6u7 asdfghjk asdfghj1
asdfqwer qwerasdf zxcvasdf zxcvzxcv poiuytrewq lkjhgfdsa mnbvcxz1 mnbvcxza 0okm9ijn 1234512345 123451234 121212121
"""

WORDS = """
password passwort passw0rd p@ssword p@ssw0rd welcome admin administrator root user guest test demo login letmein master
secret hello hallo monkey dragon shadow sunshine princess football baseball soccer hockey superman batman spiderman
starwars pokemon qwerty qwertz azerty asdfgh zxcvbn abc abcd love lovely iloveyou babygirl angel flower summer winter
spring autumn sommer fruehling herbst january february march april june july august september october november december
monday tuesday wednesday thursday friday saturday sunday michael jennifer jessica michelle ashley daniel joshua matthew
andrew anthony christopher david james john robert thomas william richard charles joseph george edward alexander
alexandra samantha elizabeth victoria nicole amanda stephanie melissa rebecca sarah hannah emily olivia sophia isabella
charlotte maria anna laura julia peter martin stefan andreas sebastian maximilian nicolas pierre marie camille carlos
jose juan miguel antonio francisco fernando alejandro gabriel rafael diego pedro mario giovanni marco francesco ivan
natasha svetlana dmitri sergey mohammed muhammad ahmed fatima ali hassan ibrahim raj priya rahul kumar singh wei ming
charlie buddy max bailey tigger ginger cookie pepper maggie rocky lucky bella molly coco oscar simba hunter killer ninja
computer internet laptop server network system windows linux ubuntu google facebook twitter youtube microsoft apple
samsung amazon netflix office company business manager money dollar bitcoin crypto ethereum trading finance account
banking payment invoice london paris berlin madrid newyork chicago boston texas florida california canada america
england germany france india nairobi kenya africa china japan tokyo brazil mexico arsenal chelsea liverpool barcelona
madrid manchester juventus bayern yankees lakers cowboys steelers freedom liberty justice victory phoenix thunder
lightning diamond silver golden purple orange yellow banana cheese coffee chocolate cookie pizza burger whiskey vodka
guitar piano music rockstar metallica nirvana jordan michaeljordan ronaldo messi changeme default temp temporary
"""

PRODUCT = """
tokenboard token tokens board tokenboard! openai chatgpt claude anthropic litellm openwebui stripe paystack descope
credits creditsystem spendwatcher llmproxy gateway gpt gpt3 gpt4 gpt5 gpt4o apikey sk-live sk-test dashboard wallet
"""

ROWS = (
    *("1234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm", "azertyuiop", "qwertzuiop", "qsdfghjklm", "wxcvbn"),
    "abcdefghijklmnopqrstuvwxyz",
)
COLUMNS = ("1qaz", "2wsx", "3edc", "4rfv", "5tgb", "6yhn", "7ujm", "qaz", "wsx", "edc", "rfv", "tgb", "yhn", "ujm")
YEARS = [str(year) for year in range(1960, 2031)]
RECENT_YEARS = [str(year) for year in range(2015, 2031)]
TAILS = ["1", "12", "123", "1234", "12345", "123456", "!", "1!", "123!", "@123", "#1", "01", "007", "69", "99", "2000"]


def passwords() -> Iterator[str]:
    """Every entry, with repeats and in no order."""
    yield from HEAD.split()
    for word in (*WORDS.split(), *PRODUCT.split()):
        yield word
        yield word * 2
        yield from (word + tail for tail in TAILS)
        yield from (word + year for year in RECENT_YEARS)
    for word in ("password", "qwerty", "welcome", "admin", "love", "iloveyou", "tokenboard", "summer", "winter"):
        yield from (word + year for year in YEARS)
    yield from _rows()
    yield from _repeats()
    yield from _dates()


def _rows() -> Iterator[str]:
    """Along the keyboard's rows, forwards and backwards, and down its columns."""
    for row in ROWS:
        endless = row * 2
        for start, length in product(range(len(row)), range(SHORTEST, 13)):
            yield endless[start : start + length]
            yield endless[start : start + length][::-1]
    for first, second in product(COLUMNS, repeat=2):
        yield first + second
        yield from (first + second + third for third in COLUMNS[:4])


def _repeats() -> Iterator[str]:
    """One character or a short group over and over."""
    for character in "0123456789abcdefghijklmnopqrstuvwxyz":
        yield from (character * length for length in range(SHORTEST, 13))
    for pair in range(100):
        yield f"{pair:02d}" * 4
        yield f"{pair:02d}" * 5
    for group in (
        "123",
        "abc",
        "qwe",
        "asd",
        "zxc",
        "aaa",
        "111",
        "321",
        "1234",
        "4321",
        "abcd",
        "qwer",
        "asdf",
        "pass",
    ):
        yield from (group * times for times in range(2, 5))


def _dates() -> Iterator[str]:
    """Days that stand for themselves: first and last of a month, in both orders, for the years of living people."""
    for year, month in product(range(1970, 2011), range(1, 13)):
        yield f"{year}{month:02d}01"
        yield f"01{month:02d}{year}"


def main() -> None:
    """Write the list: lower case, no repeats, sorted."""
    kept = sorted({entry.casefold() for entry in passwords() if len(entry) >= SHORTEST})
    head = "# Passwords that are refused, in lower case. Made by scripts/build_blocked_passwords.py; do not edit.\n"
    TARGET.write_text(head + "\n".join(kept) + "\n", encoding="utf-8")
    print(f"{TARGET.name}: {len(kept)} passwords")


if __name__ == "__main__":
    main()
