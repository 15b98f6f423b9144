"""PDFs of one empty page, encrypted by qpdf 11.3, compressed and in base64.

The open ones have an empty user password and an owner password; the others need "pass".
"""

from __future__ import annotations

import base64
import zlib


def _unpacked(text: str) -> bytes:
    return zlib.decompress(base64.b64decode(text))


OPEN_40 = _unpacked(
    "eNqFUU1v1DAQvedXzGWPxR8ztmMp2gNtV0KAWm0Ll6oHJx4vQaukyhqp5efwR/hZ3BDOVnSDesD2"
    "ZZ7nvZl5s7q+2JypN1Stfv768btSIGFsv1ZNA+I67PgAuiBbELdPDwziPOSwH3ewXlc8xDlRLwjn"
    "47chgwLxvo8HuAM8Uu//kp/1TlRcUD9y7MPb8bGwZLnez+9+5kxcNP9pYtZZyNBCZtPvM08gbnIY"
    "YpgiiA887PIXIAniCprOa9La1i6FjtnWltFhUrI1nYuSHNbSoDI6OdbMKFmpznruiLRxNrTrUh3O"
    "CMS2tCQ+QdNi9CmgtV5aTqQTGups5NZRZ7x0hkNCpBJ3ktDYNsjoEsZYt0ZFGYrg5+LYaZrHiVMl"
    "wVTy5YA1Bg0keMGUgeef4YRZeoUpja8xv8jLU+j3xa/Zuu04zrs7+nzTf2cwIN5dwF2DipTx2pYe"
    "au88aqzJakuINWrnzfr/GWWRl0M3PT1koGOFMu8hhykfpyUpq9Xq8mpT/QGsPaYW"
)
LOCKED_40 = _unpacked(
    "eNqFUctOHDEQvM9X9GWPxO+2WxrtgcdKEUSghXBBHDxjezPRagbNOhLkc/IjfBa3KJ5FYQdxwPap"
    "3FXVXb24Ol0diS+6Wjy//PlbCeAwND+rugZ25TdxB7Iga2A3Tw8R2InPfjtsYLmsYh+mQjkjnAy/"
    "+gwC2HkXdnAHak+9/09+1TtQ1Yz6LYbOHw+PhcXLJZre/cQZY9F818SkM5PRM5lVt81xBHadfR/8"
    "GIBdxH6Tf4DmwC6hJpG8SNoIQpTeWq21TA23MqpASVCkIBSPLSevA+coonUpkuTJ+gZlWhZ3ONLA"
    "1qUl9h1qaQg5OmwsGk5GKZVkE0M06KxrSKBzArHYBI/cBiXJB/Kt0laEpm1NEbwtiR2meRxjqjiY"
    "ir8dQGOUgQRvmDDw+tMfMNQfMCHVR4xmdXn03bbkNUW3HoZpd/ucr7vfEQywr6dwVyuhhSGJpQdH"
    "lpRUTqNErZRT0pJZfl5RFnnWt+PTQwa9dyjz7rIf835azXm1WJxdrqp/+Zqktg=="
)
OPEN_128 = _unpacked(
    "eNqFkcFu1DAQhu95irnssdjjsR1bivZA25UQoFbbwqXqYRLbS9AqqbJGankcXoTH4oZwtqIb1ANx"
    "Dtbv+f7xP15dX2zO8I2uVj9//fhdIUgY269V04C45l08gCrKFsTt00MEcc6Z9+MO1usqDmEuVAvg"
    "fPw2ZEAQ7/twgDugI3r/F372O6G0QD/G0PPb8bFQsizv5/9+ZqZYPP+5xOyzsNELm02/z3ECcZN5"
    "CDwFEB/isMtfAJUDcQWNsTaxqylGoq72dReo9VKnwCE51JyYdEieySUbg8bWOx1VZwMrZpvMurSH"
    "Mw1iW9KJT9BEhV1HAamVidn7grd1UDIhlhYUJSqljWWPLUeDpFVNbENbdp2rO10MP5d4pziPU0yV"
    "BFPJlw+sMWQgwYuGBp5PhpNm9SsNFb3W/KIuT9zvy8Dm2W3HcX6846Bv+u8RDIh3F3DXEGo0Xtly"
    "B+drT4qctspqIkeq9mb9/4rykpdDNz09ZNDHDiXvIfOUj2m1xGq1urzaVH8A3tinJQ=="
)
LOCKED_128 = _unpacked(
    "eNqFUbtu3DAQ7PUV21zp8LXLByBcEdsHBElg4+ykMVyQ0uqi4CAZOgaw8zn5kXxWuiDUGfEpcBGS"
    "BTGcmd1Zrq4vNmfqDVarn79+/K4USBjT16quQVzHHR9AF2QL4vbpgUGcxxz34w7W64qHdibqheB8"
    "/DZkUCDe9+0B7sAcpfd/xc9+J6lZSD9y28e342NRybJDmM/9rJm4eP7TxOyzsMGFzabfZ55A3OQ4"
    "tHFqQXzgYZe/gNIexBXUkpMKROx9F6Txnh0yIXlUmhpWqBPLljU2NsnWOIeWpaPkg3JkrVPrUh7O"
    "EMS2pBOfoE5N0rphVIVb3NhFmYi6Tha2IYlSaY1kY1ApMimD2plo21RujXcNFsPPJd4pzuPEXSWB"
    "KvmywBIZgg5eMEXw/DKcMIuvMKXNaywseHmK/b4MbJ7ddhznzzsO+qb/zkAg3l3AXW0UKgralh58"
    "cMFo49Fqi8Z4o12g9f8Z5Scvh2Z6esiAxwol7yHHKR/TliFVq9Xl1ab6A8JUpEI="
)
OPEN_AES_128 = _unpacked(
    "eNqFUstu2zAQvOsr9uJjKvEpETAMpLEFFK1hw25zCXxY8eGocCVDZoqkn9Mf6Wf1VnTpNLaLHCIS"
    "ILXcmdnhcrSc1lfsnc5Gv37//JMxKKBvvmbjMeRL3PoDcIqsIP/8tPeQ32DEXb+FySTznUuJ/AJw"
    "0z90ERjkH1t3gDsQR+jmBfzMd4aKC+jcuxbf94+EKmgYk+YmYQZPnP8VkXguaORlBTWkZR3dv931"
    "Q7yffU8U+bS3i73vUtKcDmbrWw75J99t4z0wTYRp5rPODk/7OPcRHZmFgLsDadbtLvohMWPncHBn"
    "JK8gX8BYaR2wKoX3QtjSlNaJxhQyOHShYhIDCumCQVEF7Z1kjamk51Y75Ig6KJJewpWEfAUyyXyr"
    "X2zQMpx/vsC4KdFrhl4FXwlmrSM5Y5lSTgbDtS0Y51JpNKyhJCYkLwVq19DOVqWVJHVLIucbfBx8"
    "yApQWXH6QCslFAQ4xZiC55PuHNPyVYxx8TpmLvLigO2OrjJ1Z9X36b0ce7tuf3hQkH+Ywt1YMMkU"
    "eaEaKjInuKik5loKUQleGjV5O2Nz6iXIowL5PUQc4tGtYvTiR7NFnf0FVLHJoA=="
)
LOCKED_AES_128 = _unpacked(
    "eNqFUklu2zAU3esUf+NlynkCBANtbAFFG9iw22yCLEjpy1HhSobMFEmP04v0WN0VJZ0mcpFFRQKk"
    "Ht/wOczWi+qCvdHF7OevH78LBhSG8KUoSyBrv8Mj8IRsgHx6PCCQSx/9ftjBfF5g32QiPxNcDvd9"
    "BAbkQ9cc4QbESXr7LH7ym6TiTHqFTeffDQ9JRVNzLvfbrBkxef5TRPY5s5HnFVSQh21s/s7e3se7"
    "5bdsQRZDvTpgn0lXaWG5veZAPmK/i3fAdDLMnVTdPuKYLXzf+LGZKNwCWUFJMTCnFFrbOiqsRSNR"
    "SWUl46pGJnlA2iCXtQ60EcZIjdSoYB0zSmvDUsYaLiSQDcgc87V6rjcN4/TzGcpQB85rlCy5pBw0"
    "ngal2pYmH6GopIxzqbR3LHhUTEhuhNdNSLPamlqmqOsUMh3Vw4htQUEV9OUDrZRQ0MILxhQ8rfQT"
    "puUrjHHxGnNnvDj6bp+OMl/DZhjywzhd4rb7jqCAvF/ATSmYZMpxnWqwzjjBhZWaaymEFdw4Nf8/"
    "I72SZV+Pj4cI8pSQ9nuMfoyn3UonitlsuaqKP9aUvhk="
)
OPEN_AES_256 = _unpacked(
    "eNqFU01oXFUUbhUCfQt14cJFwNvFRKht3/3/kWFsm5mBauqETBsLUfD+nJemzMwb3rw2SaEpLSKI"
    "Ci4UVBSLq4IFsQUVQUVIcSm6UhCqKxcuunBRENHeN0maQCmFy/07555zvu9+pzbbbB8gB1VS++72"
    "J/8lBGGUu9NJvY7S1koJg9FSPhih6ni4eaQ13hyxI5iHorKgND7d4TkDZ6GHNGo0qpHO2kUYIRZj"
    "zqH0+OoQUDptS9vLF6M5gUGoUtEdKTd8Ou50t+yjdAYGi+UpRAhFaXupV0IR154toQk+D9HxBTS2"
    "FKMSmSriqCzA9pNHJvfp9nE3XHvzgytfrP/8+/zlv5evv319b/9qOLnnM/Hl8Fb70B/vJec7By/8"
    "Nfn05PPfF/uXV385NPNM48rVa/un+8/+tudr+f+xGwvwzoz76dK79qmXvm38OfvrzVcff6745vJb"
    "H63XPr+5fOvJ0VeP/rB27cJyBLKZeROS2AFpuj0mrVuGzd3hM+Wp1lkYlCht5r4zhEHldCwaWt15"
    "dhc1o1ssbkHvlnYQbBHuulAhI1monlnJCVY2k6CIs8FLI7TETllJjfWWak+D1Fop6gXDjhFwhITA"
    "NEjjldZEUgwKZyZeS51JHhhjmGjnCQjOYw2d+PUYM2WoEpp4YxmVWFFiQNNMaGwxSB+CoyJoG4JQ"
    "1jCuKeGGO+EsoUr6ShDoAI8zFP2oKc9xvCcZy4hlEEtgGRZeqhAnySFE/zkkK9z99haBcSm2DydQ"
    "XTnjnCZKB8dN8FpKFZ9r76x22kZkCqQyTACTgCVzwnMrlQ8SwGqObcTpNFYZyVQIxmjBMiediLWo"
    "DDtgsYgTEbtTEQkmHIAb62jgWDEhScZJhonE2EurLeeB+owp7iIBglnsTKDMW8GrMPNI7FC9vEf1"
    "J+cg2/59dR/Jb6yzdsxgJa+8d6YfO7SitYCw5Mu8QGSsnfRFtIBIbBGCXo5U5nmJyEYrdpfOAYoZ"
    "jjbRQp0RToShUjChTaSKMs0llZwxzagyovFgjxi+NfDF6rBEYpxhuxdXPvRu10NT7Ym1iamJ19xj"
    "n+5ed6+Ef3584t+PX7949P3du6ZuP/xGck8HjUpblCsFZInWOqnVWp12cgcUBGWg"
)
LOCKED_AES_256 = _unpacked(
    "eNqFVM1O3DAQvu9T+MKRZvwz/pFWSMDuSlVBi6BwQRzGf7DVkqBsQNDH6Yv0sXqrai9lScWhSZTY"
    "M/N9M589zt7ZbLHPP5nJ3s9fP35POAPW+W+T6ZQ18+chtZtV125YnR7OjubbwRFt0lXqq4c1BTqK"
    "PElPac0sOzioT3NGt2nDROE8Z83Xl4fEmmMaaN3dFvcktbGmEqOUx91jOzDOmi+ruGHXTG6hN2/g"
    "V753qBxBT1Nc0VH3XFBQbufqc1MxfSqc/xRReUY0alzBYqvxYoh/R4ePw938qVI0sy4sH1Jbg06L"
    "Y35xJVlzktrb4Y5J8SZ6sVoPqa8U1Ebq4y5EoGbNkk0xo44yBqGzV2SCIMdzjkZEkXQQGHVWZAET"
    "gMw6o8lOGYoh8GBl4sFJrtE7sCpkDZBzIOdjCUOIXkZdaliWnUrIiVIGaSShInScSjqFyaFEy00g"
    "EpnAR+VFjEk5m4VyqIXhIkJwdf/Yvirv1N+XFoAA1hpBUnKjglC8lBJQEHCDPCtR4s+ZrrrvF28L"
    "WD79++SyaNcgfSDrSzYNWYEBKWLyVqnobDBOemWcQ+61MR7QUhEvVHLkMZN3JCEl7kR0icCpmHMK"
    "knzxCKXR1CIui3biFgXXKrsgfdYejMjOefAVmJzxRmXrQZPgVkLAGLXRVjteCdHEQnPFcNQiz33K"
    "E2A4gd3FNJaFZJntbBzZq6fd2biEjzbrPtiEHsUNPa3WpYVq+513XT0Q2+a9WH1Pparm84xdTyVX"
    "HJ3QdTNdWTchrdJCKymtFMbhwf8jyumYt6F/eRiY2mYoejcD9cNWrYXyU9ibLxeTP0z9GIA="
)
