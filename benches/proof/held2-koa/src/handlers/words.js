const chunk = require("lodash/chunk");
module.exports = () => chunk(["a", "b", "c"], 2);
