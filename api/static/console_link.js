// Exchanges the one-time link for the admin key, which this tab then keeps like one that was typed in.
const response = await fetch(location.href, { method: "POST" });
if (response.ok) sessionStorage.setItem("admin_key", await response.text());
location.replace("../../console");
