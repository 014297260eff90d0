const { DateTime } = require("luxon");
module.exports = () => DateTime.utc(2020).setZone("Asia/Tokyo").setLocale("de").toLocaleString(DateTime.DATE_FULL);
