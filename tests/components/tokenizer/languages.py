"""Sentences in several languages, written for the purpose."""

SENTENCES: dict[str, list[str]] = {
    "Korean": [
        "오늘 점심은 정말 맛있었습니다",
        "이 가게는 너무 시끄럽고 불친절해요",
        "배송이 빨라서 아주 만족합니다",
        "화면이 어두워서 글씨가 잘 안 보여요",
        "다음에도 꼭 다시 주문하고 싶습니다",
    ],
    "Russian": [
        "Сегодня обед был очень вкусным",
        "В этом магазине слишком шумно и грубо",
        "Доставка пришла быстро, я доволен покупкой",
        "Экран тёмный, и буквы почти не видно",
        "Обязательно закажу здесь ещё раз",
    ],
    "Hindi": [
        "आज का खाना बहुत स्वादिष्ट था",
        "यह दुकान बहुत शोर भरी है और लोग रूखे हैं",
        "सामान जल्दी पहुँच गया, मैं संतुष्ट हूँ",
        "स्क्रीन इतनी अँधेरी है कि अक्षर नहीं दिखते",
    ],
    "Arabic": [
        "كان الغداء اليوم لذيذا جدا",
        "هذا المتجر صاخب والبائعون غير مهذبين",
        "وصلت الشحنة بسرعة وأنا راض عنها",
        "الشاشة مظلمة ولا تظهر الحروف جيدا",
    ],
    "Japanese": [
        "今日の昼ごはんはとてもおいしかったです",
        "この店はうるさすぎて、店員も不親切でした",
        "配送が早くて大変満足しています",
        "画面が暗くて文字がよく見えません",
    ],
    "German": [
        "Das Mittagessen schmeckte heute ausgezeichnet",
        "Dieser Laden ist laut, und die Verkäufer sind unfreundlich",
        "Die Lieferung kam überraschend schnell, ich bin zufrieden",
        "Der Bildschirm ist zu dunkel, man erkennt die Buchstaben kaum",
    ],
    "emoji": ["😀😀 👍🏽👍🏽", "❤️❤️❤️", "👩‍👩‍👧‍👦 🎉🎉", "🙁 🙁 🙁"],
    "English": [
        "The lunch today was really good, and cheap",
        "This shop is far too loud and the people are rude",
        "I am happy with how fast you delivered this",
        "The screen is dark and you can hardly read what it says",
    ],
}
