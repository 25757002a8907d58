"""What the states of a number mean, and what is wrong with its messages, in words."""

# ruff: noqa: RUF001 - the letters are meant to be Cyrillic

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from supervisor.texts import en, ru, uk

if TYPE_CHECKING:
    from collections.abc import Mapping

DEAD_LETTERS: Final = "dead_letters"
BACKLOG_OLD: Final = "backlog_old"

_NOTHING_EN = "Nothing to do."
_EN: Final = {
    DEAD_LETTERS: (
        "Messages could not be delivered and are no longer tried.",
        "Operator: read why each died, correct the cause, then replay or dismiss them.",
    ),
    "starting": ("The number is being started.", _NOTHING_EN),
    "reconnecting": ("The number is connecting to Telegram again.", _NOTHING_EN),
    "stalled": ("The number's process has not answered for a moment.", _NOTHING_EN),
    "deaf": ("Telegram does not announce new messages.", _NOTHING_EN),
    "limited": ("Telegram limits how much this account may send.", _NOTHING_EN),
    "backing_off": (
        "The number's process ended and will be started again after a pause.",
        _NOTHING_EN,
    ),
    "needs_login": ("The number is not logged in to Telegram.", "Client: log the number in."),
    "needs_code": ("The login waits for the code from Telegram.", "Client: enter the code."),
    "needs_password": (
        "The login waits for the account's password.",
        "Client: enter the password of the two-step verification.",
    ),
    "banned": (
        "Telegram has banned the account.",
        "Client: write to recover@telegram.org, then log the number in again.",
    ),
    "parked": en.PARKED,
    "stopped": ("The number is stopped.", _NOTHING_EN),
    "online": ("The number is well.", _NOTHING_EN),
    BACKLOG_OLD: (
        "Messages have been waiting for more than five minutes.",
        "Operator: look at the number's last error and at the messages that wait.",
    ),
}
_NOTHING_RU = "Делать ничего не нужно."
_RU: Final = {
    DEAD_LETTERS: (
        "Сообщения не удалось доставить, новых попыток не будет.",
        "Оператор: посмотрите, почему каждое не дошло, устраните причину, затем отправьте их снова или отклоните.",
    ),
    "starting": ("Номер запускается.", _NOTHING_RU),
    "reconnecting": ("Номер снова подключается к Telegram.", _NOTHING_RU),
    "stalled": ("Процесс номера ненадолго перестал отвечать.", _NOTHING_RU),
    "deaf": ("Telegram не сообщает о новых сообщениях.", _NOTHING_RU),
    "limited": ("Telegram ограничивает отправку с этого аккаунта.", _NOTHING_RU),
    "backing_off": ("Процесс номера завершился и будет запущен снова после паузы.", _NOTHING_RU),
    "needs_login": ("Номер не вошёл в Telegram.", "Клиент: войдите в Telegram этим номером."),
    "needs_code": ("Вход ждёт код из Telegram.", "Клиент: введите код."),
    "needs_password": (
        "Вход ждёт пароль аккаунта.",
        "Клиент: введите пароль двухэтапной аутентификации.",
    ),
    "banned": (
        "Telegram заблокировал аккаунт.",
        "Клиент: напишите на recover@telegram.org, затем войдите этим номером снова.",
    ),
    "parked": ru.PARKED,
    "stopped": ("Номер остановлен.", _NOTHING_RU),
    "online": ("Номер работает.", _NOTHING_RU),
    BACKLOG_OLD: (
        "Сообщения ждут больше пяти минут.",
        "Оператор: посмотрите последнюю ошибку номера и сообщения, которые ждут.",
    ),
}
_NOTHING_UK = "Нічого робити не треба."
_UK: Final = {
    DEAD_LETTERS: (
        "Повідомлення не вдалося доставити, нових спроб не буде.",
        "Оператор: подивіться, чому кожне не дійшло, усуньте причину, потім надішліть їх знову або відхиліть.",
    ),
    "starting": ("Номер запускається.", _NOTHING_UK),
    "reconnecting": ("Номер знову підключається до Telegram.", _NOTHING_UK),
    "stalled": ("Процес номера ненадовго перестав відповідати.", _NOTHING_UK),
    "deaf": ("Telegram не сповіщає про нові повідомлення.", _NOTHING_UK),
    "limited": ("Telegram обмежує надсилання з цього акаунта.", _NOTHING_UK),
    "backing_off": ("Процес номера завершився і буде запущений знову після паузи.", _NOTHING_UK),
    "needs_login": ("Номер не увійшов у Telegram.", "Клієнт: увійдіть у Telegram цим номером."),
    "needs_code": ("Вхід чекає на код із Telegram.", "Клієнт: введіть код."),
    "needs_password": (
        "Вхід чекає на пароль акаунта.",
        "Клієнт: введіть пароль двоетапної перевірки.",
    ),
    "banned": (
        "Telegram заблокував акаунт.",
        "Клієнт: напишіть на recover@telegram.org, потім увійдіть цим номером знову.",
    ),
    "parked": uk.PARKED,
    "stopped": ("Номер зупинено.", _NOTHING_UK),
    "online": ("Номер працює.", _NOTHING_UK),
    BACKLOG_OLD: (
        "Повідомлення чекають понад п'ять хвилин.",
        "Оператор: подивіться останню помилку номера і повідомлення, які чекають.",
    ),
}

STATES: Final[Mapping[str, Mapping[str, tuple[str, str]]]] = {"en": _EN, "ru": _RU, "uk": _UK}
SENT_AGAIN: Final[Mapping[str, str]] = {
    "en": "It was sent again, and failed again.",
    "ru": "Его отправили снова, и оно снова не дошло.",
    "uk": "Його надіслали знову, і воно знову не дійшло.",
}
PLANFIX_CHECKS: Final[Mapping[str, Mapping[str, str]]] = {
    "en": {
        "planfix_ok": "Planfix answers and accepts the key and the provider.",
        "planfix_address_wrong": "There is no Planfix chat API at this address: copy url_planfix again.",
        "planfix_forbidden": "The address leads to a private network, which the gateway does not call.",
        "planfix_unavailable": "Planfix cannot be reached at this address now.",
        "planfix_unauthorized": "Planfix answers but does not accept the key: copy token_planfix again.",
        "planfix_provider_unknown": "Planfix accepts the key but does not know this provider_id.",
    },
    "ru": {
        "planfix_ok": "Планфикс отвечает, ключ и провайдер верны.",
        "planfix_address_wrong": "По этому адресу нет API чатов Планфикса: скопируйте url_planfix ещё раз.",
        "planfix_forbidden": "Адрес ведёт в частную сеть, туда шлюз не обращается.",
        "planfix_unavailable": "Планфикс сейчас недоступен по этому адресу.",
        "planfix_unauthorized": "Планфикс отвечает, но не принимает ключ: скопируйте token_planfix ещё раз.",
        "planfix_provider_unknown": "Планфикс принимает ключ, но не знает такого provider_id.",
    },
    "uk": {
        "planfix_ok": "Планфікс відповідає, ключ і провайдер правильні.",
        "planfix_address_wrong": "За цією адресою немає API чатів Планфіксу: скопіюйте url_planfix ще раз.",
        "planfix_forbidden": "Адреса веде до приватної мережі, туди шлюз не звертається.",
        "planfix_unavailable": "Планфікс зараз недоступний за цією адресою.",
        "planfix_unauthorized": "Планфікс відповідає, але не приймає ключ: скопіюйте token_planfix ще раз.",
        "planfix_provider_unknown": "Планфікс приймає ключ, але не знає такого provider_id.",
    },
}
MESSAGES_DEAD: Final[Mapping[str, str]] = {
    "en": "Messages that could not be delivered and are no longer tried: {count}.",
    "ru": "Сообщений, которые не удалось доставить, и новых попыток не будет: {count}.",
    "uk": "Повідомлень, які не вдалося доставити, і нових спроб не буде: {count}.",
}
