"""What people read who register with a bot, in the languages of the gateway."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Texts:
    """All texts of a language, and what the language is called in itself."""

    name: str
    welcome: str
    phone: str
    share: str
    registered: str
    back: str
    muted: str
    chosen: str
    start_first: str


LANGUAGES: Mapping[str, Texts] = {
    "en": Texts(
        name="English",
        welcome="Hello! I send you notifications. Choose your language.",
        phone="Please share your phone number with the button below, so that we know who you are.",
        share="Share my phone number",
        registered="Thank you, you are registered. /stop mutes me, /start brings me back.",
        back="You get notifications here again. /stop mutes me.",
        muted="I keep quiet now. /start brings me back.",
        chosen="The language is English.",
        start_first="Please write /start first.",
    ),
    "ru": Texts(
        name="Русский",
        welcome="Здравствуйте! Я присылаю уведомления. Выберите язык.",
        phone="Поделитесь номером телефона кнопкой ниже, чтобы мы знали, кто вы.",
        share="Поделиться номером телефона",
        registered="Спасибо, вы зарегистрированы. /stop отключает уведомления, /start включает их.",
        back="Уведомления снова приходят сюда. /stop отключает их.",
        muted="Уведомления отключены. /start включает их.",
        chosen="Выбран русский язык.",
        start_first="Сначала отправьте /start.",
    ),
    "uk": Texts(
        name="Українська",
        welcome="Вітаю! Я надсилаю сповіщення. Оберіть мову.",
        phone="Поділіться номером телефону за допомогою кнопки нижче, щоб ми знали, хто ви.",
        share="Поділитися номером телефону",
        registered="Дякуємо, вас зареєстровано. /stop вимикає сповіщення, /start вмикає їх.",
        back="Сповіщення знову надходять сюди. /stop вимикає їх.",
        muted="Сповіщення вимкнено. /start вмикає їх.",
        chosen="Обрано українську мову.",
        start_first="Спершу надішліть /start.",
    ),
}
